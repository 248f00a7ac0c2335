"""The system call filter, run on a tiny interpreter of classic BPF."""

import struct

import pytest

from penstock.execution.bootstrap import seccomp

ALLOW, EPERM, ENOSYS, FAMILY = 0x7FFF0000, 0x00050001, 0x00050026, 0x00050061
X86, ARM = 0xC000003E, 0xC00000B7


def run(program, architecture, number, *arguments):
    data = struct.pack("IIQ", number, architecture, 0) + struct.pack("6Q", *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("HBBI", program))
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("I", data, operand)
        elif code == 0x06:
            return operand
        else:
            met = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += yes if met else no


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ((0,), ALLOW),  # read
        ((57,), ALLOW),  # fork
        ((165,), EPERM),  # mount
        ((101,), EPERM),  # ptrace
        ((272,), EPERM),  # unshare
        ((435,), ENOSYS),  # clone3
        ((425,), ENOSYS),  # io_uring_setup
        ((56, 17), ALLOW),  # clone, as fork
        ((56, 0x3D0F00), ALLOW),  # clone, as a thread
        ((56, 0x10000011), EPERM),  # clone, new user namespace
        ((41, 1, 1, 0), ALLOW),  # socket: Unix
        ((41, 2, 1, 0), ALLOW),  # IPv4
        ((41, 16, 3, 0), ALLOW),  # netlink, routes
        ((41, 16, 3, 12), FAMILY),  # netlink, netfilter
        ((41, 17, 3, 0), FAMILY),  # packet
        ((41, 38, 5, 0), FAMILY),  # kernel crypto
        ((16, 0, 0x5412), EPERM),  # ioctl TIOCSTI
        ((16, 0, 0x5401), ALLOW),  # ioctl TCGETS
        ((0x40000000 + 101,), ENOSYS),  # the same ptrace by its x32 number
    ],
)
def test_calls(call, answer):
    assert run(seccomp.program("x86_64"), X86, *call) == answer


def test_another_architecture_is_absent():
    assert run(seccomp.program("x86_64"), 0x40000003, 26) == ENOSYS


def test_aarch64():
    program = seccomp.program("aarch64")
    assert [run(program, ARM, number) for number in (63, 40, 117, 97, 435)] == [ALLOW, EPERM, EPERM, EPERM, ENOSYS]
