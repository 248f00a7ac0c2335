"""The corpus of bad zips: each is refused with AWS's words, none writes a byte outside of its directory."""
# ruff: noqa: E501 - a table of cases reads by the line

import io
import os
import stat
import struct
import zipfile

import pytest
from tests.unit.registry.bench import make_zip

from penstock.registry import package
from penstock.registry.package import EMPTY, TOO_LARGE, UNREADABLE, PackageError, inspect, matches, unpack

LINK = stat.S_IFLNK | 0o777


def zip_with(*entries: tuple[str, bytes | str, int]) -> bytes:
    """Entries of name, content and unix mode, written exactly as named."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.create_system = 3
            archive.writestr(info, content)
    return buffer.getvalue()


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    at = content.index(signature) + offset
    return content[:at] + value + content[at + len(value) :]


def encrypted() -> bytes:
    flagged = patched(make_zip(), b"PK\x01\x02", 8, b"\x01\x00")
    return patched(flagged, b"PK\x03\x04", 6, b"\x01\x00")


def lying_about_its_size() -> bytes:
    """A megabyte that claims to be ten bytes."""
    content = zip_with(("app.py", b"0" * 1_000_000, 0o644))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        content = patched(content, signature, offset, struct.pack("<I", 10))
    return content


FILE = ("app.py", "x", 0o644)
BAD = {
    "nothing": (b"", EMPTY),
    "no files": (zip_with(), EMPTY),
    "only a directory": (zip_with(("lib/", "", 0o755)), EMPTY),
    "text": (b"def handler(): pass", UNREADABLE),
    "a gzip": (b"\x1f\x8b" + b"\0" * 100, UNREADABLE),
    "the first half": (make_zip()[:60], UNREADABLE),
    "the last half": (make_zip()[60:], UNREADABLE),
    "a flipped byte in the data": (patched(make_zip({"a.py": "hello" * 50}), b"PK\x03\x04", 36, b"\xff\xff"), UNREADABLE),
    "an unknown compression": (patched(patched(make_zip(), b"PK\x01\x02", 10, b"\x63\0"), b"PK\x03\x04", 8, b"\x63\0"), UNREADABLE),
    "encrypted": (encrypted(), UNREADABLE),
    "lying about its size": (lying_about_its_size(), UNREADABLE),
    "climbing out": (zip_with(FILE, ("../evil.py", "x", 0o644)), UNREADABLE),
    "climbing out in the middle": (zip_with(FILE, ("lib/../../evil.py", "x", 0o644)), UNREADABLE),
    "an absolute name": (zip_with(FILE, ("/etc/evil", "x", 0o644)), UNREADABLE),
    "a link out": (zip_with(FILE, ("l", "../../etc/passwd", LINK)), UNREADABLE),
    "an absolute link": (zip_with(FILE, ("l", "/etc/passwd", LINK)), UNREADABLE),
    "a link out through a link": (zip_with(FILE, ("a/b/up", "../..", LINK), ("out", "a/b/up/..", LINK)), UNREADABLE),
    "a link to itself": (zip_with(FILE, ("l", "l", LINK)), UNREADABLE),
    "an empty link": (zip_with(FILE, ("l", "", LINK)), UNREADABLE),
    "a file written through a link": (zip_with(FILE, ("l", ".", LINK), ("l/evil.py", "x", 0o644)), UNREADABLE),
    "a file below a file": (zip_with(FILE, ("app.py/x", "x", 0o644)), UNREADABLE),
    "a device": (zip_with(FILE, ("null", "", stat.S_IFCHR | 0o666)), UNREADABLE),
    "a pipe": (zip_with(FILE, ("pipe", "", stat.S_IFIFO | 0o666)), UNREADABLE),
    "a name too long for a file": (zip_with(FILE, ("x" * 256, "x", 0o644)), UNREADABLE),
    "a path too long for a file": (zip_with(FILE, ("/".join(["d" * 200] * 20), "x", 0o644)), UNREADABLE),
    "a bomb": (zip_with(("zeros", b"\0" * 3_000_000, 0o644)), TOO_LARGE),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_zip_is_refused_and_writes_nothing_outside(name, tmp_path) -> None:
    content, says = BAD[name]
    limit = 2_000_000
    with pytest.raises(PackageError) as refused:
        inspect(content, limit)
    assert str(refused.value).startswith(says)
    target = tmp_path / "code"
    target.mkdir()
    with pytest.raises(PackageError):
        unpack(content, target, limit)
    assert [path.name for path in tmp_path.iterdir()] == ["code"]


def test_nothing_else_than_a_refusal_comes_out_of_garbage(dice) -> None:
    """A thousand valid zips with random bytes overwritten: each is read or refused, never a crash."""
    good = zip_with(FILE, ("lib/b.py", "hello" * 100, 0o755), ("l", "lib/b.py", LINK))
    outcomes = set()
    for _ in range(1000):
        at, noise = int(dice.random() * len(good)), dice.token(1 + int(dice.random() * 4))
        try:
            inspect(good[:at] + noise + good[at + len(noise) :])
            outcomes.add("read")
        except PackageError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_too_many_entries(monkeypatch) -> None:
    monkeypatch.setattr(package, "ENTRY_LIMIT", 3)
    with pytest.raises(PackageError, match="4 entries"):
        inspect(zip_with(*((f"f{n}", "", 0o644) for n in range(4))))


def test_a_good_zip_unpacks_read_only_with_its_links_and_executables(tmp_path) -> None:
    content = zip_with(
        ("app.py", "1", 0o644), ("bin/run", "2", 0o755), ("lib/", "", 0o755), ("lib/so.1", "3", 0o600),
        ("lib/so", "so.1", LINK), ("bin/back", "../lib/so", LINK), ("./dot//app2.py", "4", 0), ("empty", "", 0o644),
        ("App.py", "other", 0o644), ("back\\slash", "5", 0o644),
    )  # fmt: skip
    inspect(content)
    unpack(content, tmp_path)
    assert (tmp_path / "app.py").read_text() == "1"
    assert (tmp_path / "App.py").read_text() == "other"
    assert (tmp_path / "bin" / "back").read_text() == "3"
    assert (tmp_path / "dot" / "app2.py").read_text() == "4"
    assert (tmp_path / "back\\slash").read_text() == "5"
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("app.py", "bin/run", "lib/so.1", "lib")}
    assert modes == {"app.py": 0o444, "bin/run": 0o555, "lib/so.1": 0o444, "lib": 0o555}
    assert matches(content, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_with_one_name_the_later_counts(tmp_path) -> None:
    content = zip_with(("a.py", "old", 0o644), ("./a.py", "new", 0o644))
    unpack(content, tmp_path)
    assert (tmp_path / "a.py").read_text() == "new"


@pytest.mark.parametrize("damage", ["gone", "shorter", "a directory", "link gone"])
def test_what_an_earlier_run_left_is_looked_at(tmp_path, damage) -> None:
    content = zip_with(("a.py", "1", 0o644), ("b.py", "22", 0o644), ("l", "a.py", LINK))
    unpack(content, tmp_path)
    tmp_path.chmod(0o700)
    victim = tmp_path / ("l" if damage == "link gone" else "b.py")
    victim.unlink()
    if damage == "shorter":
        victim.write_text("2")
    elif damage == "a directory":
        victim.mkdir()
    assert not matches(content, tmp_path)


def test_the_limits_are_awss() -> None:
    assert (package.ZIPPED_LIMIT, package.UNZIPPED_LIMIT) == (50 * 1024 * 1024, 250 * 1024 * 1024)
    assert TOO_LARGE == "Unzipped size must be smaller than 262144000 bytes"
    assert os.path.sep == "/"
