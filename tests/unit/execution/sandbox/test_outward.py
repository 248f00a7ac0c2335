"""Whom a function may reach outside of its cell."""

import socket

import pytest

from penstock.execution.bootstrap import network
from penstock.execution.sandbox.outward import name_servers, refusal


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "::1", "fe80::1"]
)
def test_refused(address):
    assert refusal(address)


@pytest.mark.parametrize("address", ["198.51.100.7", "10.99.99.99"])
def test_allowed(address):
    assert refusal(address) == ""


def test_the_machine_itself_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.7", 9))
        own = probe.getsockname()[0]
    assert refusal(own)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 10.0.0.2\nsearch x\nnameserver fe80::1%eth0\n", ["10.0.0.2", "fe80::1"]),
        ("# nothing\n", ["127.0.0.1"]),
    ],
)
def test_name_servers(text, found):
    assert name_servers(text) == found


def test_the_machine_s_own_network_is_never_changed():
    with pytest.raises(OSError, match="nobody's to change"):
        network.set_up(("127.0.0.1", 1), network.namespace())
