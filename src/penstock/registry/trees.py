"""Unpacked files in the run directory, one read-only tree a name, built aside and put in place by one rename.

Rule: a tree may vanish at any time while the server is down, and counts only within the boot that made it.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Content(NamedTuple):
    """What a tree is made of. Both are called in a thread."""

    is_in: Callable[[Path], bool]
    """Whether a directory that an earlier run left holds it."""
    write: Callable[[Path], None]
    """Into an empty directory."""


class Trees:
    """The trees below one directory."""

    def __init__(self, root: Path) -> None:
        """Creates the directory, and removes what a crash or another boot left in it."""
        self.root = root
        self._building: dict[str, asyncio.Task[Path]] = {}
        self._checked: set[str] = set()
        root.mkdir(parents=True, exist_ok=True)
        self._forget_what_a_crash_left()

    async def get(self, name: str, load: Callable[[], Content]) -> Path:
        """The tree's directory, built at most once however many ask; `load` runs in a thread and may raise."""
        path = self.root / name
        if name in self._checked and path.is_dir():
            return path
        task = self._building.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._build, name, load))
            self._building[name] = task
            task.add_done_callback(lambda _: self._building.pop(name, None))
        # Shielded: the first who asked may give up, the others still wait.
        return await asyncio.shield(task)

    async def discard(self, name: str) -> None:
        """Delete a tree, if it is there."""
        self._checked.discard(name)
        path, aside = self.root / name, self.root / f".tmp-gone-{name}"
        if path.is_dir() and not aside.exists():
            path.rename(aside)  # at once, so that nobody finds a directory that is half deleted
            await asyncio.to_thread(remove, aside)

    def names(self) -> set[str]:
        """Of every tree on disk."""
        return {path.name for path in self.root.iterdir() if not path.name.startswith(".")}

    def _build(self, name: str, load: Callable[[], Content]) -> Path:
        path = self.root / name
        content = load()
        if not (path.is_dir() and content.is_in(path)):
            aside = self.root / f".tmp-{name}"
            remove(aside)
            remove(path)
            aside.mkdir(parents=True)
            content.write(aside)
            aside.rename(path)
        self._checked.add(name)
        return path

    def _forget_what_a_crash_left(self) -> None:
        for path in self.root.glob(".tmp-*"):
            remove(path)
        # Unpacked files are not flushed to disk; after a power cut they may have their names and sizes but not their
        # bytes. So a copy counts only within the boot that made it.
        booted, marker = BOOT_ID.read_text() if BOOT_ID.exists() else "", self.root / ".boot"
        if not marker.exists() or marker.read_text() != booted:
            for path in self.root.iterdir():
                remove(path)
            marker.write_text(booted)


def remove(path: Path) -> None:
    """Delete a file or a directory tree, read-only directories included."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
