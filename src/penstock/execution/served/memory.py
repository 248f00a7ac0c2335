"""What an environment of several processes uses. Rule: read from /proc as the server sees it."""

import os
from contextlib import suppress
from pathlib import Path

PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
MOST = 256
"""Processes looked at: a fork bomb must not cost the server its time."""


def tree(root: int) -> list[int]:
    """The descendants of a process."""
    found: list[int] = []
    left = [root]
    while left and len(found) < MOST:
        pid = left.pop()
        with suppress(OSError, ValueError):
            children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            found += children
            left += children
    return found


def resident_kb(pids: list[int]) -> int:
    """Their resident memory now, together."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE_KB
    return total


def peak_kb(pids: list[int]) -> int:
    """The sum of what each used at its own peak."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.split("VmHWM:", 1)[1].split(None, 1)[0])
    return total
