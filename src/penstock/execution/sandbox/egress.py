"""The process through which functions reach the network outside: `python -m penstock.execution.sandbox.egress FD`.

Rule: it is a process of its own, without rights, so that a function that moves a lot of data takes processor time from
other functions' network at most, never from the server. It sees bytes only: TCP as streams, DNS as datagrams.
Messages from the server: `{"op": "add", "id"}` with the two sockets of a cell, `{"op": "drop", "id"}`.
"""

import asyncio
import encodings.idna  # noqa: F401 - the event loop asks for it when it is too late: nobody may read our files
import json
import os
import resource
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, cast

import uvloop

from penstock.execution.sandbox.outward import RESOLVER, name_servers, refusal

NOBODY = 65534
ORIGINAL_DESTINATION = 80
CONNECT_S = 30.0
NAMES_S = 5.0
CONNECTIONS = 1024
EARLY_BYTES = 65536
QUERIES = 128
"""At once, of one cell."""


class Half(asyncio.Protocol):
    """One side of a connection; what it reads the other side writes."""

    def __init__(self) -> None:
        """`other` is set when both exist."""
        self.transport: asyncio.Transport | None = None
        self.other: Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        if self.other and self.other.transport and self.other.transport.can_write_eof():
            with suppress(OSError, RuntimeError):
                self.other.transport.write_eof()
        return True  # the other direction may go on

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other and self.other.transport:
            if exc is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.resume_reading()


class Inner(Half):
    """The function's side: finds out where it wanted to go, and connects there."""

    def __init__(self, way: "Way") -> None:
        """`way` counts connections."""
        super().__init__()
        self._way = way
        self._connecting: asyncio.Task[None] | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self._way.inner.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            super().data_received(data)
            return
        self._early += data  # not paused from the start: uvloop forgets a pause before its first read
        if len(self._early) > EARLY_BYTES and self.transport:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._way.inner.discard(self)
        if self._connecting:
            self._connecting.cancel()
        super().connection_lost(exc)

    async def _connect(self) -> None:
        assert self.transport is not None
        try:
            address, port = destination(self.transport.get_extra_info("socket").fileno())
            if len(self._way.inner) > CONNECTIONS or refusal(address):
                raise ConnectionRefusedError
            outer = Half()
            outer.other = self
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(lambda: outer, address, port)
        except (OSError, ValueError):
            _reset(self.transport)
        else:
            self.other = outer
            super().data_received(self._early)
            self.transport.resume_reading()


class Names(asyncio.DatagramProtocol):
    """A cell's name server: hands questions to the machine's own, and answers back."""

    def __init__(self) -> None:
        """No question yet."""
        self._transport: asyncio.DatagramTransport | None = None
        self._asking: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._asking) < QUERIES:
            task = asyncio.get_running_loop().create_task(self._ask(data, addr))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(self, question: bytes, asker: tuple[str, int]) -> None:
        for server in name_servers(_resolver()):
            with suppress(OSError, TimeoutError):
                answer = await _exchange(question, server)
                if self._transport and not self._transport.is_closing():
                    self._transport.sendto(answer, asker)
                return


class Answer(asyncio.DatagramProtocol):
    """Waits for one datagram."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        if not self.came.done():
            self.came.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(exc)


async def _exchange(question: bytes, server: str) -> bytes:
    transport, answer = await asyncio.get_running_loop().create_datagram_endpoint(Answer, remote_addr=(server, 53))
    try:
        transport.sendto(question)
        async with asyncio.timeout(NAMES_S):
            return await answer.came
    finally:
        transport.close()


class Way:
    """The way out of one cell."""

    def __init__(self) -> None:
        """`open` serves it."""
        self.inner: set[Inner] = set()
        self._server: asyncio.Server | None = None
        self._names: asyncio.BaseTransport | None = None

    async def open(self, outward: socket.socket, names: socket.socket) -> None:
        """Take over both sockets."""
        loop = asyncio.get_running_loop()
        names.setblocking(False)  # noqa: FBT003 - its only parameter
        self._server = await loop.create_server(lambda: Inner(self), sock=outward)
        self._names, _ = await loop.create_datagram_endpoint(Names, sock=names)

    def close(self) -> None:
        """The cell is gone."""
        if self._server:
            self._server.close()
        if self._names:
            self._names.close()
        for inner in list(self.inner):
            if inner.transport:
                inner.transport.abort()


def destination(descriptor: int) -> tuple[str, int]:
    """Where a connection that was turned round wanted to go; raises `OSError`."""
    with socket.socket(fileno=os.dup(descriptor)) as one:
        port, raw = struct.unpack(">2xH4s8x", one.getsockopt(socket.SOL_IP, ORIGINAL_DESTINATION, 16))
    return socket.inet_ntoa(raw), port


def _reset(transport: asyncio.Transport) -> None:
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _resolver() -> str:
    try:
        return RESOLVER.read_text(errors="replace")
    except OSError:
        return ""


async def serve(control: socket.socket) -> None:
    """Until the server is gone."""
    ways: dict[int, Way] = {}
    loop = asyncio.get_running_loop()
    control.setblocking(False)  # noqa: FBT003 - its only parameter
    readable = asyncio.Event()
    loop.add_reader(control.fileno(), readable.set)
    while True:
        await readable.wait()
        readable.clear()
        with suppress(BlockingIOError):
            while True:
                data, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
                if not data:
                    return
                await _obey(json.loads(data), descriptors, ways)


async def _obey(message: dict[str, Any], descriptors: list[int], ways: dict[int, Way]) -> None:
    if message["op"] == "add":
        ways[message["id"]] = way = Way()
        await way.open(*(socket.socket(fileno=descriptor) for descriptor in descriptors))
    elif old := ways.pop(message["id"], None):
        old.close()


def main() -> None:
    """See the module."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
