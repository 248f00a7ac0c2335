"""The filter on a function's system calls, as a classic BPF program. Rule: refuse what a function has no honest use for
and what kernels have been broken through; everything else is allowed, as on AWS.

Refused calls fail with EPERM (clone3, io_uring and calls of another architecture with ENOSYS, so that libraries fall
back); nothing is killed for asking. See seccomp(2).
"""

from __future__ import annotations

import platform
import struct

# Name: (number on x86_64, number on aarch64); None where it does not exist.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
ABSENT: dict[str, tuple[int, int]] = {
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
FAMILIES = (1, 2, 10)
"""Unix, IPv4, IPv6. Netlink (16) only for its routes, which name resolution reads."""
SOCKET, SOCKETPAIR, CLONE, IOCTL = (41, 198), (53, 199), (56, 220), (16, 29)
NAMESPACES = 0x7E020000
TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type on somebody else's terminal."""

_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _THIRD = 0, 4, 16, 24, 32


def program(machine: str | None = None) -> bytes:
    """The filter for this (or that) processor."""
    column, architecture = ARCHITECTURES[machine or platform.machine()]
    refuse, absent = _refuse(_EPERM), _refuse(_ENOSYS)
    steps = [_load(_ARCHITECTURE), _jump(_EQUAL, architecture, 1, 0), absent, _load(_NUMBER)]
    if column == 0:
        steps += [_jump(_AT_LEAST, 0x40000000, 0, 1), absent]  # the x32 calls, which nobody has
    for numbers, answer in [(pair, refuse) for pair in REFUSED.values()] + [(pair, absent) for pair in ABSENT.values()]:
        number = numbers[column]
        if number is not None:
            steps += [_jump(_EQUAL, number, 0, 1), answer]
    steps += _when(CLONE[column], [_load(_FIRST), _jump(_BITS, NAMESPACES, 0, 1), refuse])
    steps += _when(
        IOCTL[column],
        [_load(_SECOND), *(_step for code in TERMINAL_INPUT for _step in (_jump(_EQUAL, code, 0, 1), refuse))],
    )
    for call in (SOCKET, SOCKETPAIR):
        steps += _when(call[column], _families())
    return b"".join([*steps, _allow()])


def _families() -> list[bytes]:
    known = [step for family in FAMILIES for step in (_jump(_EQUAL, family, 0, 1), _allow())]
    routes = [_jump(_EQUAL, 16, 0, 3), _load(_THIRD), _jump(_EQUAL, 0, 0, 1), _allow()]
    return [_load(_FIRST), *known, *routes, _refuse(_EAFNOSUPPORT)]


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """`body` for this call only, which then is allowed unless the body answered."""
    whole = [*body, _allow()]
    return [_jump(_EQUAL, number, 0, len(whole)), *whole]


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", _LOAD, 0, 0, offset)


def _jump(test: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", test, yes, no, value)


def _refuse(number: int) -> bytes:
    return struct.pack("HBBI", _RETURN, 0, 0, _ERROR | number)


def _allow() -> bytes:
    return struct.pack("HBBI", _RETURN, 0, 0, _ALLOW)
