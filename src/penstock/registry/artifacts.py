"""Deployment packages on disk: each is one file named after its SHA-256, written once and never changed.

Rule: a file under its final name is whole (it was written aside, flushed and renamed), and is hashed again on every
load. Unpacked copies live in the run directory and may vanish at any time while the server is down.
"""

import asyncio
import base64
import contextlib
import hashlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from penstock.core.clock import Clock
from penstock.registry import package

GRACE_S = 1000.0
"""Real seconds that code stays after its last version went: longer than the longest handler may still be running."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class DamagedPackageError(Exception):
    """The stored package is missing or its bytes are not what its name says."""


def hex_name(code_sha256: str) -> str:
    """The file name of a package: AWS's base64 digest in hexadecimal."""
    return base64.b64decode(code_sha256).hex()


def digest(content: bytes) -> str:
    """`CodeSha256` as AWS shows it: base64 of the SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Artifacts:
    """The packages below one data directory. All disk work runs in threads."""

    def __init__(self, *, data: Path, clock: Clock) -> None:
        """Creates the directories; touches nothing else until asked."""
        self._packages = data / "artifacts"
        self._code = data / "run" / "code"
        self._clock = clock
        self._unpacking: dict[str, asyncio.Task[Path]] = {}
        self._checked: set[str] = set()
        self._held: Counter[str] = Counter()
        self._held_since_sweep: set[str] = set()
        self._unused_since: dict[str, float] = {}
        for directory in (self._packages, self._code):
            directory.mkdir(parents=True, exist_ok=True)
        self._forget_what_a_crash_left()

    @property
    def directory(self) -> Path:
        """Where unpacked packages lie."""
        return self._code

    @contextlib.contextmanager
    def holding(self, code_sha256: str) -> Iterator[None]:
        """Keep the sweep away from a package that no row names yet."""
        self._held[code_sha256] += 1
        self._held_since_sweep.add(code_sha256)
        try:
            yield
        finally:
            self._held[code_sha256] -= 1
            if not self._held[code_sha256]:
                del self._held[code_sha256]

    async def put(self, content: bytes) -> str:
        """Store a package durably (nothing happens when it is there already) and return its `CodeSha256`."""
        return await asyncio.to_thread(self._put, content)

    async def load(self, code_sha256: str) -> bytes:
        """The package's bytes; raises `DamagedPackageError` when they are not what was stored."""
        return await asyncio.to_thread(self._load, code_sha256)

    async def unpacked(self, code_sha256: str) -> Path:
        """The directory with the package's files, read-only; unpacks at most once however many ask."""
        name = hex_name(code_sha256)
        path = self._code / name
        if name in self._checked and path.is_dir():
            return path
        task = self._unpacking.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._unpack, code_sha256))
            self._unpacking[name] = task
            task.add_done_callback(lambda _: self._unpacking.pop(name, None))
        # Shielded: the first who asked may give up, the others still wait.
        return await asyncio.shield(task)

    async def sweep(self, in_use: Callable[[], Awaitable[set[str]]]) -> None:
        """Delete packages and code that no version has named for `GRACE_S`. `in_use` reads those that one names."""
        self._held_since_sweep = set(self._held)
        found = await asyncio.to_thread(self._stored)
        used = {hex_name(sha) for sha in await in_use()}
        now = self._clock.monotonic()
        self._unused_since = {name: self._unused_since.get(name, now) for name in found - used}
        for name, since in list(self._unused_since.items()):
            # Whoever committed a row after `in_use` looked was holding the package while it did.
            held = name in {hex_name(sha) for sha in self._held_since_sweep}
            if not held and now - since >= GRACE_S:
                await self._discard(name)

    async def _discard(self, name: str) -> None:
        self._checked.discard(name)
        (self._packages / f"{name}.zip").unlink(missing_ok=True)
        code, aside = self._code / name, self._code / f".tmp-gone-{name}"
        if code.is_dir() and not aside.exists():
            code.rename(aside)  # at once, so that nobody finds a directory that is half deleted
            await asyncio.to_thread(_remove, aside)

    def _put(self, content: bytes) -> str:
        sha = digest(content)
        path = self._packages / f"{hex_name(sha)}.zip"
        if self._is_whole(path, content):
            return sha
        aside = path.with_name(f".tmp-{path.name}-{threading.get_ident()}")
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_directory(self._packages)
        return sha

    @staticmethod
    def _is_whole(path: Path, content: bytes) -> bool:
        try:
            return path.read_bytes() == content
        except OSError:
            return False

    def _load(self, code_sha256: str) -> bytes:
        path = self._packages / f"{hex_name(code_sha256)}.zip"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DamagedPackageError(f"the package {path} cannot be read: {error}") from error
        if digest(content) != code_sha256:
            raise DamagedPackageError(f"the package {path} does not have the SHA-256 it is named after")
        return content

    def _unpack(self, code_sha256: str) -> Path:
        name = hex_name(code_sha256)
        path = self._code / name
        content = self._load(code_sha256)
        if not (path.is_dir() and package.matches(content, path)):
            aside = self._code / f".tmp-{name}"
            _remove(aside)
            _remove(path)
            aside.mkdir(parents=True)
            package.unpack(content, aside)
            aside.rename(path)
        self._checked.add(name)
        return path

    def _stored(self) -> set[str]:
        packages = {path.stem for path in self._packages.glob("*.zip") if not path.name.startswith(".")}
        return packages | {path.name for path in self._code.iterdir() if not path.name.startswith(".")}

    def _forget_what_a_crash_left(self) -> None:
        for path in [*self._packages.glob(".tmp-*"), *self._code.glob(".tmp-*")]:
            _remove(path)
        # Unpacked files are not flushed to disk; after a power cut they may have their names and sizes but not their
        # bytes. So a copy counts only within the boot that made it.
        booted, marker = BOOT_ID.read_text() if BOOT_ID.exists() else "", self._code / ".boot"
        if not marker.exists() or marker.read_text() != booted:
            for path in self._code.iterdir():
                _remove(path)
            marker.write_text(booted)


def _remove(path: Path) -> None:
    """Delete a file or a directory tree, read-only directories included."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
