"""The Linux calls that isolation is made of and that Python has no names for. Rule: one call a method, else `OSError`.

Looked up once in the zygote, so that a fork finds them ready. See clone(2), mount(2), pivot_root(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct

NEW_NS = 0x00020000
NEW_CGROUP = 0x02000000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PID = 0x20000000
NEW_NET = 0x40000000

RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8
REMOUNT, NOATIME, BIND, REC, PRIVATE, RELATIME = 32, 1024, 4096, 16384, 1 << 18, 1 << 21
DETACH = 2

_NUMBERS = {
    "x86_64": {"clone": 56, "pivot_root": 155, "capset": 126, "mount_setattr": 442},
    "aarch64": {"clone": 220, "pivot_root": 41, "capset": 91, "mount_setattr": 442},
}
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_AT_RECURSIVE = 0x8000
_CAPABILITY_VERSION = 0x20080522
_ATTRIBUTES = {RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8}
_KEPT = {os.ST_RDONLY: RDONLY, os.ST_NOSUID: NOSUID, os.ST_NODEV: NODEV, os.ST_NOEXEC: NOEXEC,
         os.ST_NOATIME: NOATIME, os.ST_RELATIME: RELATIME}  # fmt: skip


class System:
    """See the module."""

    def __init__(self) -> None:
        """Raises `OSError` on a processor whose call numbers we do not know."""
        numbers = _NUMBERS.get(platform.machine())
        if numbers is None:
            raise OSError(38, f"no isolation on {platform.machine()} processors yet")
        self._numbers = numbers
        self._libc = ctypes.CDLL(None, use_errno=True)
        # PyDLL keeps the interpreter's lock through the call: the copy must come out of it holding the lock.
        self._locked = ctypes.PyDLL(None, use_errno=True)
        self._python = ctypes.pythonapi
        for name in ("PyOS_BeforeFork", "PyOS_AfterFork_Child", "PyOS_AfterFork_Parent"):
            getattr(self._python, name).restype = None

    def clone(self, flags: int) -> int:
        """`os.fork` into new namespaces; only for a process with one thread."""
        self._python.PyOS_BeforeFork()
        pid = int(self._locked.syscall(*_longs(self._numbers["clone"], flags | signal.SIGCHLD, 0, 0, 0, 0)))
        if pid == 0:
            self._python.PyOS_AfterFork_Child()
            return 0
        failed = ctypes.get_errno()
        self._python.PyOS_AfterFork_Parent()
        if pid < 0:
            raise OSError(failed, f"clone: {os.strerror(failed)}")
        return pid

    def unshare(self, flags: int) -> None:
        """Leave these namespaces for new ones."""
        _check(self._libc.unshare(flags), "unshare")

    def mount(self, source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
        """Attach a file system, or change how one is attached."""
        done = self._libc.mount(
            source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None
        )
        _check(done, f"mount {target}")

    def bind(self, source: str, target: str, flags: int = RDONLY | NOSUID | NODEV) -> None:
        """Show `source` and what is mounted below it at `target`, restricted."""
        self.mount(source, target, flags=BIND | REC)
        try:
            self._restrict(target, flags)
        except OSError:  # before Linux 5.12; what the mount is restricted by already must be said again
            had = os.statvfs(target).f_flag
            for bit, flag in _KEPT.items():
                flags |= flag if had & bit else 0
            self.mount("", target, flags=BIND | REMOUNT | flags)

    def unmount(self, target: str) -> None:
        """Take it away, now for new users and for the rest when they are done."""
        _check(self._libc.umount2(target.encode(), DETACH), f"umount {target}")

    def enter_root(self, root: str) -> None:
        """Make `root` the root directory and let go of the old one."""
        os.chdir(root)
        _check(self._libc.syscall(ctypes.c_long(self._numbers["pivot_root"]), b".", b"."), "pivot_root")
        self.unmount(".")
        os.chdir("/")

    def bound_capabilities(self) -> None:
        """Let no executable, set-user-id or not, ever give a capability back."""
        self._libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
        number = 0
        while self._libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
            number += 1
        self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

    def drop_capabilities(self) -> None:
        """Give up every capability this process has."""
        head = struct.pack("Ii", _CAPABILITY_VERSION, 0)
        _check(self._libc.syscall(ctypes.c_long(self._numbers["capset"]), head, bytes(24)), "capset")

    def hide_memory(self, *, hidden: bool = True) -> None:
        """Whether nobody of the same user, the process itself included, may look into it through `/proc`."""
        self._libc.prctl(_PR_SET_DUMPABLE, 0 if hidden else 1, 0, 0, 0)

    def filter_calls(self, program: bytes) -> None:
        """Install a seccomp filter (see `seccomp.py`); needs no-new-privileges."""
        buffer = ctypes.create_string_buffer(program, len(program))
        head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
        _check(self._libc.prctl(_PR_SET_SECCOMP, 2, head, 0, 0), "seccomp")

    def _restrict(self, target: str, flags: int) -> None:
        attributes = sum(bit for flag, bit in _ATTRIBUTES.items() if flags & flag)
        argument = struct.pack("QQQQ", attributes, 0, 0, 0)
        number = ctypes.c_long(self._numbers["mount_setattr"])
        done = self._libc.syscall(number, -100, target.encode(), _AT_RECURSIVE, argument, ctypes.c_size_t(32))
        _check(done, f"mount_setattr {target}")


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _longs(*values: int) -> list[ctypes.c_long]:
    return [ctypes.c_long(value) for value in values]
