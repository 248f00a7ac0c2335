"""Who a function may reach outside of its cell. Rule: pure but for asking whether an address is this machine's own.

Allowed by default, as on AWS; never the machine itself (its loopback, its own addresses: databases, other servers,
Penstock's own pages) and never link-local addresses, where clouds keep the credentials of the machine.
"""

import ipaddress
import socket
from pathlib import Path

RESOLVER = Path("/etc/resolv.conf")


def refusal(address: str) -> str:
    """Why `address` is out of bounds, or `""`."""
    ip = ipaddress.ip_address(address)
    if ip.is_loopback or ip.is_unspecified or ip.is_multicast:
        return "not an address of another machine"
    if ip.is_link_local:
        return "link-local: where clouds keep the machine's credentials"
    if is_own(address):
        return "an address of this machine"
    return ""


def is_own(address: str) -> bool:
    """Whether it belongs to this machine: only then can it be bound."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def name_servers(text: str) -> list[str]:
    """Those of a `resolv.conf`; without any, the one on this machine."""
    found = [words[1] for line in text.splitlines() if len(words := line.split()) > 1 and words[0] == "nameserver"]
    return [one.partition("%")[0] for one in found] or ["127.0.0.1"]
