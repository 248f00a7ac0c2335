"""Posting to a server inside of an environment. Rule: the keeper makes the connection, where it may have a network of
its own; nothing waits longer than `LIMIT_S`.
"""

import asyncio
import socket
from collections.abc import Callable

import h11

LIMIT_S = 30.0


class Connector:
    """Connections to ports inside of one environment."""

    def __init__(self, order: Callable[[int, int], None]) -> None:
        """`order(ident, port)` asks the keeper; it answers with `connecting` or `unreachable`."""
        self._order = order
        self._next = 0
        self._waiting: dict[int, asyncio.Future[socket.socket]] = {}

    def connecting(self, ident: int, descriptor: int) -> None:
        """The keeper opened it."""
        connected = socket.socket(fileno=descriptor)
        connected.setblocking(False)  # noqa: FBT003 - its only parameter
        waiting = self._waiting.pop(ident, None)
        if waiting is None or waiting.done():
            connected.close()
        else:
            waiting.set_result(connected)

    def unreachable(self, ident: int, why: str) -> None:
        """The keeper could not."""
        waiting = self._waiting.pop(ident, None)
        if waiting is not None and not waiting.done():
            waiting.set_exception(ConnectionError(why))

    async def post(self, port: int, path: str, body: bytes) -> bool:
        """Whether the server at `port` took a JSON body."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._post(port, path, body)
        except (OSError, TimeoutError, h11.ProtocolError):
            return False

    async def _post(self, port: int, path: str, body: bytes) -> bool:
        self._next += 1
        ident = self._next
        self._waiting[ident] = asyncio.get_running_loop().create_future()
        self._order(ident, port)
        connected = await self._waiting[ident]
        reader, writer = await asyncio.open_connection(sock=connected)
        try:
            parser = h11.Connection(h11.CLIENT)
            head = [("host", f"sandbox.localdomain:{port}"), ("content-type", "application/json")]
            head += [("content-length", str(len(body))), ("connection", "close")]
            request = parser.send(h11.Request(method="POST", target=path, headers=head)) or b""
            writer.write(b"".join((request, parser.send(h11.Data(data=body)) or b"")))
            writer.write(parser.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            while True:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    parser.receive_data(await reader.read(65536))
                elif isinstance(event, h11.Response):
                    return 200 <= event.status_code < 300
                elif isinstance(event, h11.ConnectionClosed):
                    return False
        finally:
            writer.close()
