"""What a deployment package is: a zip that unpacks inside its own directory and within AWS's limits.

Rule: nothing a zip says about itself is believed; names are resolved as the file system would, bytes are counted while
they unpack. See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import io
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ZIPPED_LIMIT = 52_428_800
"""Bytes of a package sent inside a request."""
UNZIPPED_LIMIT = 262_144_000
"""Bytes of a package on disk."""
ENTRY_LIMIT = 200_000
"""Files in a package: AWS names no number, but each costs an inode here and none of the bytes above."""
LINK_HOPS = 40
CHUNK = 1 << 20

UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."
TOO_LARGE = f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes"
EMPTY = "Uploaded file must be a non-empty zip"


class PackageError(Exception):
    """The package is refused; the message is AWS's, with our reason after it where AWS's gives none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or link of a package, under its normal name (`a/b`, no `.`, no doubled slashes)."""

    name: str
    info: zipfile.ZipInfo
    link: str | None = None

    @property
    def is_dir(self) -> bool:
        """Whether it only makes a directory."""
        return self.info.is_dir()

    @property
    def mode(self) -> int:
        """Read-only for everyone; executable for everyone where the zip says so for anyone."""
        return 0o555 if self.info.external_attr >> 16 & 0o111 else 0o444


def inspect(package: bytes, limit: int = UNZIPPED_LIMIT) -> int:
    """Read the whole package once, as unpacking would; returns the bytes it unpacks to.

    Raises `PackageError` when it must be refused.
    """
    with _reading(package) as archive:
        entries = _entries(archive)
        total = 0
        for entry in entries.values():
            for chunk in _content(archive, entry):
                total += len(chunk)
                if total > limit:
                    raise PackageError(TOO_LARGE)
    return total


def listing(package: bytes) -> dict[str, Entry]:
    """What is in the package, by normal name. Raises `PackageError`."""
    with _reading(package) as archive:
        return _entries(archive)


def unpack(package: bytes, target: Path, limit: int = UNZIPPED_LIMIT) -> None:
    """Write the package's files below `target`, an empty directory, and make everything read-only."""
    write(package, target, limit)
    lock(target)


def write(package: bytes, target: Path, limit: int, only: Container[str] | None = None) -> int:
    """Write the package's files, or those named in `only`, below `target`; returns their bytes.

    Nothing that lies in `target` already may be in their way.
    """
    with _reading(package) as archive:
        total = 0
        entries = [entry for entry in _entries(archive).values() if only is None or entry.name in only]
        # Links come last: no file is ever written through one.
        for entry in sorted(entries, key=lambda entry: entry.link is not None):
            path = target / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if entry.is_dir:
                path.mkdir(exist_ok=True)
            elif entry.link is not None:
                path.symlink_to(entry.link)
            else:
                total += _write(path, _content(archive, entry), entry.mode, limit - total)
    return total


def matches(package: bytes, target: Path) -> bool:
    """Whether `target` holds every file of the package with its size: a cheap look at what an earlier run left."""
    return holds(target, listing(package))


def holds(target: Path, entries: Mapping[str, Entry]) -> bool:
    """The same for entries that were listed."""
    return all(_is_there(target / entry.name, entry) for entry in entries.values())


def _is_there(path: Path, entry: Entry) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    if entry.is_dir:
        return stat.S_ISDIR(found.st_mode)
    if entry.link is not None:
        return stat.S_ISLNK(found.st_mode)
    return stat.S_ISREG(found.st_mode) and found.st_size == entry.info.file_size


class _reading:  # noqa: N801 - reads as a verb where it is used
    """Opens a zip and turns everything that Python's reader can raise on a broken one into `PackageError`."""

    BROKEN = (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        NotImplementedError,  # a compression method we do not have
        RuntimeError,  # encrypted
        ValueError,  # names that are not text, offsets that are not numbers
        OverflowError,
        KeyError,
        IndexError,
    )

    def __init__(self, package: bytes) -> None:
        self._package = package

    def __enter__(self) -> zipfile.ZipFile:
        if not self._package:
            raise PackageError(EMPTY)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(self._package))
        except (*self.BROKEN, OSError) as error:
            raise PackageError(UNREADABLE) from error
        return self._archive

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._archive.close()
        if isinstance(error, self.BROKEN):
            raise PackageError(f"{UNREADABLE} ({error})") from error


def _entries(archive: zipfile.ZipFile) -> dict[str, Entry]:
    """The entries by normal name; of two with one name the later counts, as unzip does it."""
    infos = archive.infolist()
    if len(infos) > ENTRY_LIMIT:
        raise PackageError(f"{UNREADABLE} (it has {len(infos)} entries, the limit is {ENTRY_LIMIT})")
    found: dict[str, Entry] = {}
    for info in infos:
        name = _normal(info.filename)
        if name:
            found.pop(name, None)
            found[name] = Entry(name, info, _link(archive, info))
    if not any(not entry.is_dir for entry in found.values()):
        raise PackageError(EMPTY)
    _check_tree(found)
    return found


def _normal(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise PackageError(f"{UNREADABLE} ({name[:200]!r} lies outside of the package)")
    if any(len(os.fsencode(part)) > 255 for part in parts) or len(os.fsencode(name)) > 2048:
        raise PackageError(f"{UNREADABLE} (the name {name[:60]!r}… is too long for a file)")
    return "/".join(parts)


def _link(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise PackageError(f"{UNREADABLE} ({info.filename[:200]!r} is neither a file, a directory nor a link)")
    if kind != stat.S_IFLNK or info.is_dir():
        return None
    with archive.open(info) as source:
        target = source.read(2049)
    if not target or len(target) > 2048 or b"\0" in target:
        raise PackageError(f"{UNREADABLE} ({info.filename[:200]!r} is a link to nowhere)")
    return os.fsdecode(target)


def _check_tree(entries: Mapping[str, Entry]) -> None:
    """No entry lies below a file or a link, and no link leads out of the package."""
    for name, entry in entries.items():
        parts = name.split("/")
        for depth in range(1, len(parts)):
            above = entries.get("/".join(parts[:depth]))
            if above and not above.is_dir:
                raise PackageError(f"{UNREADABLE} ({name[:200]!r} lies below {above.name[:200]!r}, which is a file)")
        if entry.link is not None and not stays_inside(parts[:-1], entry.link, entries):
            raise PackageError(f"{UNREADABLE} (the link {name[:200]!r} leaves the package)")


def stays_inside(start: list[str], link: str, entries: Mapping[str, Entry]) -> bool:
    """Walk a link's target as the kernel would, following links on the way; loops count as leaving."""
    if link.startswith("/"):
        return False
    at, todo, hops = list(start), link.split("/"), 0
    while todo:
        part = todo.pop(0)
        if part == "..":
            if not at:
                return False
            at.pop()
        elif part not in ("", "."):
            at.append(part)
            here = entries.get("/".join(at))
            if here and here.link is not None:
                hops += 1
                if hops > LINK_HOPS or here.link.startswith("/"):
                    return False
                at.pop()
                todo = here.link.split("/") + todo
    return True


def _content(archive: zipfile.ZipFile, entry: Entry) -> Iterator[bytes]:
    if entry.is_dir or entry.link is not None:
        return
    with archive.open(entry.info) as source:
        while chunk := source.read(CHUNK):
            yield chunk


def _write(path: Path, content: Iterator[bytes], mode: int, room: int) -> int:
    size = 0
    with path.open("xb") as file:
        for chunk in content:
            size += len(chunk)
            if size > room:
                raise PackageError(TOO_LARGE)
            file.write(chunk)
    path.chmod(mode)
    return size


def lock(target: Path) -> None:
    """Make the directories below `target` and itself read-only; the files are already."""
    for directory, _, _ in os.walk(target, topdown=False):
        Path(directory).chmod(0o555)
