"""Deployment packages and layers on disk: each is one file named after its SHA-256, written once and never changed.

Rule: a file under its final name is whole (it was written aside, flushed and renamed), and is hashed again on every
load. Unpacked copies are `trees.py`'s: one a package, and one a row of layers for what functions see as `/opt`.
"""

import asyncio
import base64
import contextlib
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import NamedTuple

from penstock.core.clock import Clock
from penstock.registry import merge, package
from penstock.registry.trees import Content, Trees, remove

GRACE_S = 1000.0
"""Real seconds that code stays after its last version went: longer than the longest handler may still be running."""


class InUse(NamedTuple):
    """What rows name."""

    packages: AbstractSet[str]
    """`CodeSha256` of functions' versions, of layers' versions, and of layers that functions go on using."""
    layers: AbstractSet[tuple[str, ...]] = frozenset()
    """The layers of each function's version, base first."""


class DamagedPackageError(Exception):
    """The stored package is missing or its bytes are not what its name says."""


def hex_name(code_sha256: str) -> str:
    """The file name of a package: AWS's base64 digest in hexadecimal."""
    return base64.b64decode(code_sha256).hex()


def layers_name(layers: Sequence[str]) -> str:
    """The directory name of these layers, base first, merged."""
    return hashlib.sha256("\n".join(layers).encode()).hexdigest()


def digest(content: bytes) -> str:
    """`CodeSha256` as AWS shows it: base64 of the SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Artifacts:
    """The packages below one data directory. All disk work runs in threads."""

    def __init__(self, *, data: Path, clock: Clock) -> None:
        """Creates the directories; touches nothing else until asked."""
        self._packages = data / "artifacts"
        self._packages.mkdir(parents=True, exist_ok=True)
        self._code = Trees(data / "run" / "code")
        self._layers = Trees(data / "run" / "layers")
        self._clock = clock
        self._held: Counter[str] = Counter()
        self._wanted_since_sweep: set[str] = set()
        self._unused_since: dict[str, float] = {}
        for path in self._packages.glob(".tmp-*"):
            remove(path)

    @property
    def directory(self) -> Path:
        """Where unpacked packages lie."""
        return self._code.root

    @contextlib.contextmanager
    def holding(self, code_sha256: str) -> Iterator[None]:
        """Keep the sweep away from a package that no row names yet."""
        self._held[code_sha256] += 1
        self._wanted_since_sweep.add(hex_name(code_sha256))
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
        self._wanted_since_sweep.add(name)
        return await self._code.get(name, partial(self._content, code_sha256))

    async def layers(self, code_sha256s: Sequence[str]) -> Path | None:
        """The directory with the merged files of these layers, base first, read-only; None without layers."""
        if not code_sha256s:
            return None
        name = layers_name(code_sha256s)
        self._wanted_since_sweep.add(name)
        return await self._layers.get(name, partial(self._layers_content, code_sha256s))

    async def sweep(self, in_use: Callable[[], Awaitable["InUse"]]) -> None:
        """Delete packages and unpacked files that no row has named for `GRACE_S`. `in_use` reads what rows name."""
        self._wanted_since_sweep = {hex_name(sha) for sha in self._held}
        found = await asyncio.to_thread(self._stored)
        using = await in_use()
        used = {hex_name(sha) for sha in using.packages} | {layers_name(row) for row in using.layers}
        now = self._clock.monotonic()
        self._unused_since = {name: self._unused_since.get(name, now) for name in found - used}
        for name, since in list(self._unused_since.items()):
            # Whoever committed a row after `in_use` looked was holding the package while it did.
            if name not in self._wanted_since_sweep and now - since >= GRACE_S:
                await self._discard(name)

    async def _discard(self, name: str) -> None:
        (self._packages / f"{name}.zip").unlink(missing_ok=True)
        await self._code.discard(name)
        await self._layers.discard(name)

    def _content(self, code_sha256: str) -> Content:
        content = self._load(code_sha256)
        return Content(partial(package.matches, content), partial(package.unpack, content))

    def _layers_content(self, code_sha256s: Sequence[str]) -> Content:
        contents = [self._load(sha) for sha in code_sha256s]
        return Content(partial(merge.matches, contents), partial(merge.unpack, contents))

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

    def _stored(self) -> set[str]:
        packages = {path.stem for path in self._packages.glob("*.zip") if not path.name.startswith(".")}
        return packages | self._code.names() | self._layers.names()


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
