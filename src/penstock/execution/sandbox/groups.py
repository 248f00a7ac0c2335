"""Control groups: the limits on a cell's memory, processor and processes, and the switch that freezes it.

Rule: version 1 and 2 behind one face; everything of one data directory lies below one group of its own, so that a
restart finds and sweeps exactly what its own crash left. See cgroups(7), the kernel's cgroup-v1 and cgroup-v2 pages.
"""

import hashlib
import logging
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

CONTROLLERS = ("cpu", "memory", "pids")
PIDS = 1024
"""AWS's limit of processes and threads."""
OVERHEAD_MB = 16
"""What a cell's first process, its kernel memory and its sockets take beside the function."""
PERIOD_US = 20_000
FULL_CPU_MB = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: one whole processor."""
PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Tree:
    """Where groups are made. For version 1 one directory a controller; for version 2 the same one for all."""

    version: str
    bases: dict[str, Path]


def group_name(data: Path) -> str:
    """One name per data directory."""
    return f"penstock-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"


def quota_us(memory_mb: int) -> int:
    """Processor time per `PERIOD_US`; the kernel takes no less than a millisecond."""
    return max(1000, PERIOD_US * memory_mb // FULL_CPU_MB)


class Groups:
    """All groups of one server."""

    def __init__(self, tree: Tree, name: str) -> None:
        """`name` from `group_name`."""
        self._tree = tree
        self._bases = {controller: base / name for controller, base in tree.bases.items()}
        self._own = set(self._bases.values())

    def prepare(self) -> None:
        """Sweep what a killed server left and make the common group; raises `OSError`."""
        self.sweep()
        for base in self._own:
            base.mkdir(exist_ok=True)
        if self._tree.version == "v2":
            _write(self._bases["memory"] / "cgroup.subtree_control", " ".join(f"+{one}" for one in CONTROLLERS))

    def make(self, name: str) -> "Group":
        """A group without limits; raises `OSError`."""
        group = Group(self._tree.version, {controller: base / name for controller, base in self._bases.items()})
        group.make()
        return group

    def freezers(self) -> int | None:
        """For version 1 a descriptor of the directory of all freezers: who is frozen there cannot even be killed."""
        if self._tree.version == "v2":
            return None
        return os.open(self._bases["freezer"], os.O_RDONLY | os.O_DIRECTORY)

    def sweep(self) -> None:
        """End every process in our groups and remove the groups."""
        names = {child.name for base in self._own if base.is_dir() for child in base.iterdir() if child.is_dir()}
        for name in names:
            group = Group(self._tree.version, {controller: base / name for controller, base in self._bases.items()})
            group.end()
        for base in self._own:
            with suppress(OSError):
                base.rmdir()


class Group:
    """The group of one cell."""

    def __init__(self, version: str, paths: dict[str, Path]) -> None:
        """`paths` by controller; the freezer is one for version 1."""
        self._v2 = version == "v2"
        self._paths = paths
        self._directories = list(dict.fromkeys(paths.values()))

    def make(self) -> None:
        """Create the directories."""
        for directory in self._directories:
            directory.mkdir()

    def enter(self, pid: int) -> None:
        """Put a process in; what it forks is in too."""
        for directory in self._directories:
            _write(directory / "cgroup.procs", str(pid))

    def limit(self, memory_mb: int, ephemeral_mb: int) -> None:
        """Bound memory and processes. What lies in `/tmp` is memory to the kernel, and not the function's to lose."""
        size = (memory_mb + ephemeral_mb + OVERHEAD_MB) << 20
        memory = self._paths["memory"]
        if self._v2:
            _write(memory / "memory.max", str(size))
            _try(memory / "memory.swap.max", "0")
        else:
            _write(memory / "memory.limit_in_bytes", str(size))
            _try(memory / "memory.memsw.limit_in_bytes", str(size))
        _write(self._paths["pids"] / "pids.max", str(PIDS))

    def share(self, memory_mb: int) -> None:
        """Give it the processor time that goes with its memory."""
        cpu, quota = self._paths["cpu"], quota_us(memory_mb)
        if self._v2:
            _write(cpu / "cpu.max", f"{quota} {PERIOD_US}")
        else:
            _write(cpu / "cpu.cfs_period_us", str(PERIOD_US))
            _write(cpu / "cpu.cfs_quota_us", str(quota))

    def freeze(self) -> None:
        """Stop everything in it."""
        self._freezer("1", "FROZEN")

    def thaw(self) -> None:
        """Let it go on."""
        self._freezer("0", "THAWED")

    def used_kb(self) -> int:
        """Memory of its processes, without files and without `/tmp`."""
        wanted = b"anon " if self._v2 else b"rss "
        with suppress(OSError, ValueError, IndexError):
            for line in (self._paths["memory"] / "memory.stat").read_bytes().splitlines():
                if line.startswith(wanted):
                    return int(line.split()[1]) >> 10
        return 0

    def starved(self) -> bool:
        """Whether the kernel killed something in it for want of memory."""
        name = "memory.events" if self._v2 else "memory.oom_control"
        with suppress(OSError):
            for line in (self._paths["memory"] / name).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return line.split()[1] != "0"
        return False

    def members(self) -> list[int]:
        """Every process in it."""
        with suppress(OSError, ValueError):
            return [int(word) for word in (self._paths["pids"] / "cgroup.procs").read_text().split()]
        return []

    def remove(self) -> bool:
        """Take the directories away; False while something in it is not quite gone."""
        left = False
        for directory in self._directories:
            try:
                directory.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left = True
        return not left

    def end(self) -> None:
        """Kill everything in it and remove it, for the sweep."""
        for _ in range(PATIENCE):
            with suppress(OSError):
                self.thaw()
            for pid in self.members():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.remove():
                return
            os.sched_yield()

    def _freezer(self, v2: str, v1: str) -> None:
        if self._v2:
            _write(self._paths["memory"] / "cgroup.freeze", v2)
        else:
            _write(self._paths["freezer"] / "freezer.state", v1)


def find_tree(mounts: str, memberships: str) -> Tree | str:
    """From `/proc/self/mountinfo` and `/proc/self/cgroup` to where our groups may go, or what is missing. Pure.

    Version 1 counts when it has every controller, else version 2 is looked at.
    """
    found = dict(_hierarchies(mounts))
    own = {
        key: path
        for line in memberships.splitlines()
        for _, keys, path in [line.split(":", 2)]
        for key in keys.split(",")
    }
    needed = (*CONTROLLERS, "freezer")
    if all(controller in found for controller in needed):
        return Tree("v1", {one: _below(found[one], own.get(one, "/")) for one in needed})
    if "" in found:
        base = _below(found[""], own.get("", "/"))
        return Tree("v2", dict.fromkeys(CONTROLLERS, base))
    return "no cgroup hierarchy is mounted"


def _hierarchies(mounts: str) -> list[tuple[str, tuple[str, Path]]]:
    """Controller (`""`: version 2) to the mount's own root and the mount point."""
    found = []
    for line in mounts.splitlines():
        first, _, last = line.partition(" - ")
        words, (kind, _, options) = first.split(), last.split()[:3]
        if kind == "cgroup2":
            found.append(("", (words[3], Path(words[4]))))
        elif kind == "cgroup":
            found += [(option, (words[3], Path(words[4]))) for option in options.split(",")]
    return found


def _below(mount: tuple[str, Path], own: str) -> Path:
    root, point = mount
    inside = own[len(root.rstrip("/")) :] if own.startswith(root.rstrip("/")) else "/"
    return point / inside.strip("/")


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _try(path: Path, text: str) -> None:
    with suppress(OSError):  # a kernel without swap accounting has no such file
        _write(path, text)
