"""A cell's own network: loopback, the endpoint of Penstock on it, and a way out that is not the machine's.

Rule: nothing outside of the cell's network namespace changes. Every connection that leaves (TCP, and DNS over UDP) is
turned round by a rule of the namespace's own to a socket whose other end is held by the server's egress process, which
decides; what cannot be turned round has no route and fails at once. See rtnetlink(7), netlink(7), nf_tables.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path

ADDRESS = "169.254.76.1"
"""The environment's own address, of the kind AWS gives."""
NAME_SERVER = "169.254.76.53"
BACKLOG = 128

NETFILTER = 12

_REQUEST, _ACK, _CREATE, _REPLACE, _APPEND = 1, 4, 0x400, 0x100, 0x800
_NEW_ADDRESS, _NEW_ROUTE = 20, 24
_BEGIN, _END, _TABLE, _CHAIN, _RULE = 0x10, 0x11, 0xA00, 0xA03, 0xA06
_LOCAL_OUT, _BEFORE_ROUTES = 3, -100
_TCP, _UDP = 6, 17


def namespace() -> int:
    """Which network this process is in."""
    return Path("/proc/self/ns/net").stat().st_ino


def set_up(endpoint: tuple[str, int], outer: int) -> tuple[list[socket.socket], str]:
    """The sockets for the server (endpoint, outward TCP, DNS), and why there is no way out, or `""`.

    `outer` is the `namespace()` of the machine; done there, this would cut the machine off.
    """
    if namespace() == outer:
        raise OSError(1, "this is the machine's own network, which is nobody's to change")
    _loopback_up()
    own = [ADDRESS]
    family = socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET
    if family == socket.AF_INET and not endpoint[0].startswith("127."):
        own.append(endpoint[0])
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        for address in own:
            _add_address(route, address)
        _add_way_out(route)
    serving = [_listen(family, endpoint)]
    outward, names = _listen(socket.AF_INET, ("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 0))
    try:
        turn_round(own, outward.getsockname()[1], names.getsockname()[1])
    except OSError as error:
        outward.close()
        names.close()
        return serving, f"the kernel has no nf_tables to use: {error}"
    return [*serving, outward, names], ""


def turn_round(own: list[str], tcp_port: int, dns_port: int) -> None:
    """Lead what is addressed to others to these local ports; raises `OSError`."""
    rules = [[_load(1, 16, 4), _equals(socket.inet_aton(address)), _accept()] for address in own]
    rules += [
        [_load(1, 16, 1), _equals(b"\x7f"), _accept()],
        [_meta_protocol(), _equals(bytes([_TCP])), *_redirect(tcp_port)],
        [
            _meta_protocol(),
            _equals(bytes([_UDP])),
            _load(2, 2, 2),
            _equals(struct.pack(">H", 53)),
            *_redirect(dns_port),
        ],
    ]
    hook = _nested(4, _number(1, _LOCAL_OUT) + _number(2, _BEFORE_ROUTES & 0xFFFFFFFF))
    messages = [
        (_BEGIN, struct.pack(">BBH", 0, 0, 10), 0),
        (_TABLE, _nft(_text(1, "penstock")), _CREATE | _ACK),
        (_CHAIN, _nft(_text(1, "penstock") + _text(3, "out") + hook + _text(7, "nat")), _CREATE | _ACK),
    ]
    for expressions in rules:
        listed = _nested(4, b"".join(_nested(1, one) for one in expressions))
        messages.append((_RULE, _nft(_text(1, "penstock") + _text(2, "out") + listed), _CREATE | _APPEND | _ACK))
    messages.append((_END, struct.pack(">BBH", 0, 0, 10), 0))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER) as link:
        _talk(link, messages)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sH14x", b"lo", 0x1 | 0x40)
        fcntl.ioctl(any_socket.fileno(), 0x8914, up)


def _add_address(route: socket.socket, address: str) -> None:
    body = struct.pack("BBBBi", socket.AF_INET, 32, 0, 0, socket.if_nametoindex("lo"))
    raw = socket.inet_aton(address)
    body += _attribute(1, raw) + _attribute(2, raw)
    _talk(route, [(_NEW_ADDRESS, body, _CREATE | _REPLACE | _ACK)])


def _add_way_out(route: socket.socket) -> None:
    # A local route: what is not turned round meets nobody and is refused, instead of waiting for an answer.
    body = struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0, 255, 3, 254, 2, 0)
    body += _attribute(4, struct.pack("i", socket.if_nametoindex("lo")))
    body += _attribute(7, socket.inet_aton(ADDRESS))
    _talk(route, [(_NEW_ROUTE, body, _CREATE | _REPLACE | _ACK)])


def _listen(family: int, address: tuple[str, int]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.bind(address)
    listening.listen(BACKLOG)
    listening.setblocking(False)  # noqa: FBT003 - its only parameter
    return listening


def _talk(link: socket.socket, messages: list[tuple[int, bytes, int]]) -> None:
    """Send them in one go and read the answers of those that ask for one; raises `OSError`."""
    data = b""
    for number, (kind, body, flags) in enumerate(messages, 1):
        data += struct.pack("IHHII", 16 + len(body), kind, _REQUEST | flags, number, 0) + body
    link.settimeout(5.0)
    link.sendto(data, (0, 0))
    awaited = sum(1 for _, _, flags in messages if flags & _ACK)
    while awaited > 0:
        answer = link.recv(65536)
        while len(answer) >= 16:
            size, kind = struct.unpack_from("IH", answer)
            if kind == 2:
                (code,) = struct.unpack_from("i", answer, 16)
                if code:
                    raise OSError(-code, f"netlink error {-code}")
                awaited -= 1
            answer = answer[(size + 3) & ~3 :]


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _nested(kind: int, data: bytes) -> bytes:
    return _attribute(kind | 0x8000, data)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack(">I", value))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _nft(attributes: bytes) -> bytes:
    return struct.pack(">BBH", 2, 0, 0) + attributes


def _expression(name: str, data: bytes) -> bytes:
    return _text(1, name) + _nested(2, data)


def _load(header: int, offset: int, size: int) -> bytes:
    return _expression("payload", _number(1, 1) + _number(2, header) + _number(3, offset) + _number(4, size))


def _meta_protocol() -> bytes:
    return _expression("meta", _number(1, 1) + _number(2, 16))


def _equals(value: bytes) -> bytes:
    return _expression("cmp", _number(1, 1) + _number(2, 0) + _nested(3, _attribute(1, value)))


def _accept() -> bytes:
    return _expression("immediate", _number(1, 0) + _nested(2, _nested(2, _number(1, 1))))


def _redirect(port: int) -> list[bytes]:
    to = _expression("immediate", _number(1, 1) + _nested(2, _attribute(1, struct.pack(">H", port))))
    return [to, _expression("redir", _number(1, 1))]
