"""What the kernel tells of processes: processor time, memory, descendants; and what machine this is."""

import os
from collections.abc import Iterable
from pathlib import Path

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """`pid` and every process below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_us(pid: int) -> float:
    """Processor time of `pid` and everything below it, ended and waited-for children included."""
    total = 0
    for one in descendants(pid):
        if fields := _stat(one):
            total += sum(int(field) for field in fields[11:15])
    return total * TICK_US


def resident_kb(pid: int) -> int:
    """Resident memory, shared pages included."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def private_kb(pid: int) -> int:
    """Memory that would come back if this process ended: what it shares with no other."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


def command(pid: int) -> str:
    """The command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def leaves(pids: Iterable[int]) -> list[int]:
    """Those of `pids` that have no child among them."""
    pids = list(pids)
    parents = {int(fields[1]) for pid in pids if (fields := _stat(pid))}
    return [pid for pid in pids if pid not in parents]


def described() -> str:
    """Processor, count, memory and kernel in one line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        os.uname().machine,
    )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{len(os.sched_getaffinity(0))} × {model}, {gigabytes:.0f} GB, Linux {os.uname().release}"


def load() -> float:
    """Processes that wanted to run in the last minute."""
    return os.getloadavg()[0]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name (state first)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
