"""The root directory that a zygote and all its cells see: the runtime, read-only, and nothing else of the machine.

Rule: built once, in a mount namespace of the zygote's own; a cell then adds only what is its own (`cell.py`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.execution.bootstrap.system import (
    BIND,
    NEW_NS,
    NEW_USER,
    NODEV,
    NOEXEC,
    NOSUID,
    PRIVATE,
    RDONLY,
    REC,
    REMOUNT,
    System,
)  # fmt: skip

GIVEN = "/.given"
"""Where code packages and layers are until a cell has taken its own; functions never see it."""
OWN = "/.own"
"""A cell's own small files."""
DEVICES = ("null", "zero", "full", "random", "urandom")
EMPTY = ("proc", "tmp", "opt", "var/task", "dev", "etc", GIVEN[1:], OWN[1:])
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
SIZE = "mode=755,size=1m"


def confine(system: System, plan: dict[str, Any]) -> None:
    """Leave the machine's file system for one that holds what `plan` (see `sandbox/layout.py`) lists."""
    become_root_of_own(system, unprivileged=plan["unprivileged"])
    system.mount("", "/", flags=REC | PRIVATE)
    root = plan["staging"]
    system.mount("penstock", root, "tmpfs", NOSUID | NODEV, SIZE)
    for directory in EMPTY:
        Path(root, directory).mkdir(parents=True, exist_ok=True)
    for path, target in plan["links"].items():
        Path(root + path).symlink_to(target)
    for path, text in plan["files"].items():
        write(root + path, text)
    for source, target in [*plan["shown"], *_prefixes([target for _, target in plan["shown"]])]:
        _show(system, source, root + target)
    Path(root + GIVEN).chmod(0o700)
    system.mount("penstock", root + GIVEN, "tmpfs", NOSUID | NODEV, "mode=700,size=64k")
    for name, source in plan["given"].items():
        _show(system, source, f"{root}{GIVEN}/{name}")
    _devices(system, root)
    for path in plan["hidden"]:
        if Path(root + path).is_dir():
            system.mount("penstock", root + path, "tmpfs", RDONLY | NOSUID | NODEV, "mode=755,size=4k")
    system.mount("/proc", f"{root}/proc", flags=BIND | REC)
    system.enter_root(root)
    system.mount("", "/", flags=BIND | REMOUNT | RDONLY | NOSUID | NODEV)


def become_root_of_own(system: System, *, unprivileged: bool) -> None:
    """A mount namespace; without root, in a user namespace where we are."""
    user, group = os.getuid(), os.getgid()
    system.unshare(NEW_NS | (NEW_USER if unprivileged else 0))
    if unprivileged:
        map_user(0, user, 0, group)


def map_user(inside: int, outside: int, group_inside: int, group_outside: int) -> None:
    """Say who we are in the user namespace we just entered."""
    with suppress(FileNotFoundError):
        write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{inside} {outside} 1")
    write("/proc/self/gid_map", f"{group_inside} {group_outside} 1")


def write(path: str, text: str) -> None:
    """The whole text in one write, as the kernel's files need it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | (0 if path.startswith("/proc/") else os.O_CREAT), 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _show(system: System, source: str, target: str) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    system.bind(source, target)


def _prefixes(shown: list[str]) -> list[tuple[str, str]]:
    """Where this interpreter lives, unless it is shown already."""
    found: list[tuple[str, str]] = []
    for prefix in (
        sys.base_prefix,
        sys.base_exec_prefix,
        str(Path(sys.executable).resolve().parents[1]),
    ):
        known = [*shown, *(target for _, target in found)]
        if prefix != "/" and not any(prefix == one or prefix.startswith(f"{one}/") for one in known):
            found.append((prefix, prefix))
    return found


def _devices(system: System, root: str) -> None:
    for name in DEVICES:
        target = f"{root}/dev/{name}"
        Path(target).touch()
        system.bind(f"/dev/{name}", target, NOSUID | NOEXEC)
    for name, pointed in LINKS.items():
        Path(root, "dev", name).symlink_to(pointed)
