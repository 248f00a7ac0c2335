"""What a process of ours does to itself: who it dies with, what it inherits and may use. Rule: Linux calls only."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MAX_ZYGOTE_FILES = 64
OPEN_FILES = 1024
"""AWS gives an environment 1,024 file descriptors."""


class Kernel:
    """`prctl`, looked up once in the zygote so that a forked environment finds it ready."""

    def __init__(self) -> None:
        """Load the C library of this process; without `prctl` (not Linux) nothing is set."""
        self._prctl = getattr(ctypes.CDLL(None), "prctl", None)

    def die_with_parent(self, number: int) -> None:
        """Ask for this signal when the parent process ends."""
        self._call(PR_SET_PDEATHSIG, number)

    def adopt_orphans(self) -> None:
        """Become the parent of descendants whose own parent ended, so that a daemon cannot slip away."""
        self._call(PR_SET_CHILD_SUBREAPER, 1)

    def _call(self, option: int, value: int) -> None:
        if self._prctl is not None:
            self._prctl(option, value, 0, 0, 0)


def reset_signals() -> None:
    """Undo what the zygote set, so that the function starts with Python's usual handlers."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def close_inherited(keep: int) -> None:
    """Close what the server's own starter left open in it; only the standard three and `keep` stay."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are all it takes
        if int(name) > 2 and int(name) != keep:
            with suppress(OSError):  # the listing's own
                os.close(int(name))


def keep_only(descriptors: set[int]) -> None:
    """Close all a fork got from the zygote but the standard three and these. A zygote has a handful, all low."""
    low = 3
    for descriptor in [*sorted(descriptors), MAX_ZYGOTE_FILES]:
        os.closerange(low, descriptor)
        low = descriptor + 1


def redirect_output(descriptor: int) -> None:
    """Let standard output and error of this process and of all its children go to the log pipe."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    for number in (null, descriptor):
        if number > 2:
            os.close(number)


def limit() -> None:
    """No core files, AWS's number of open files, and the first to go when the machine runs out of memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with suppress(OSError):
        adjust = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(adjust, b"800")
        os.close(adjust)


def children() -> list[int]:
    """The direct children of this single-threaded process."""
    try:
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []
