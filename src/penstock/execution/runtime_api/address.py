"""The address itself: accepts connections on a listening socket and sends each request to its desk. Rule: one per
environment; closing it drops everyone.
"""

import asyncio
import socket
from typing import Protocol

from penstock.execution.runtime_api import refusals
from penstock.execution.runtime_api.connection import Answer, Connection, Receiver, Request
from penstock.execution.runtime_api.refusals import Buffered

RUNTIME = "/2018-06-01/runtime"
EXTENSION = "/2020-01-01/extension"
TELEMETRY = "/2022-07-01/telemetry"


class Desk(Protocol):
    """Serves the paths below one prefix."""

    def route(self, path: str, request: Request, answer: Answer) -> Receiver:
        """Begin a request; `path` is what follows the prefix."""


class Address:
    """See the module."""

    def __init__(self, desks: dict[str, Desk]) -> None:
        """The longest matching prefix of a path chooses the desk."""
        self._desks = dict(sorted(desks.items(), key=lambda entry: -len(entry[0])))
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    async def listen(self, listening: socket.socket) -> None:
        """Take over a listening socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, self._opened, self._closed), sock=listening)

    def close(self) -> None:
        """Stop, and drop who is connected."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()

    def open(self, request: Request, answer: Answer) -> Receiver:
        """See `Service`."""
        path = request.path.partition("?")[0]
        for prefix, desk in self._desks.items():
            if path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/"):
                return desk.route(path[len(prefix) :], request, answer)
        return Buffered(lambda _: refusals.not_found(answer))

    def _opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def _closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
