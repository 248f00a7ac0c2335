"""The HTTP server: a listening socket on the caller's event loop, and the connections it brings.

Rule: it installs no signal handlers and owns no loop, so two servers fit in one process; a client can neither hold it
(see `connection.py`) nor make it forget a request that has begun.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from email.utils import formatdate

from penstock.core.clock import Clock
from penstock.core.errors import StartupError
from penstock.gateway.connection import Connection, Desk, Handler, Limits
from penstock.gateway.contract import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
STOP_S = 5.0
"""Real seconds that cancelled requests get to clean up."""
BODY_PAUSE_S = 0.01
"""How often a drain looks whether a body that is on the way has arrived."""
access = logging.getLogger("penstock.access")


class Server:
    """One listening socket and its connections."""

    def __init__(
        self,
        *,
        handler: Handler,
        clock: Clock,
        host: str,
        port: int,
        max_body_bytes: int,
        limits: Limits | None = None,
        access_log: bool = False,
    ) -> None:
        """Nothing is opened before `start`; port 0 takes a free one."""
        self._clock = clock
        self._host = host
        self._port = port
        self._limits = limits or Limits()
        served = _Logged(handler, clock) if access_log else handler
        self._desk = Desk(served, self._limits, max_body_bytes, self._date_header)
        self._listener: asyncio.Server | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._date = (0, "")

    async def start(self) -> int:
        """Listen; the port. Raises `StartupError` when the address cannot be had."""
        loop = asyncio.get_running_loop()
        listening = await self._bind(loop)
        self._listener = await loop.create_server(
            lambda: Connection(self._desk, loop), sock=listening, backlog=self._limits.backlog
        )
        self._sweep(loop)
        port: int = listening.getsockname()[1]
        return port

    async def listen_on(self, listening: socket.socket) -> Callable[[], None]:
        """Answer on a further listening socket, until the returned function is called."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self._desk, loop), sock=listening, backlog=self._limits.backlog
        )
        return server.close

    async def drain(self, timeout_s: float) -> bool:
        """Stop accepting and let the requests in hand finish; whether all did within `timeout_s` real seconds."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._desk.connections):
            connection.shutdown()
        end = self._clock.monotonic() + timeout_s
        while (left := end - self._clock.monotonic()) > 0 and self._engaged():
            if self._desk.tasks:
                await asyncio.wait(set(self._desk.tasks), timeout=left)
            else:
                await self._clock.pause(min(left, BODY_PAUSE_S))
        unfinished = self._engaged()
        if unfinished:
            log.warning("%d requests did not finish within %.1f s of draining", unfinished, timeout_s)
        return not unfinished

    async def stop(self) -> None:
        """Close everything now; requests still in hand are cancelled."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._desk.stopping = True
        for connection in list(self._desk.connections):
            connection.abort()
        await self._clock.pause(0)  # lets the connections notice, so that nobody writes to them any more
        tasks = set(self._desk.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)

    def _engaged(self) -> int:
        return sum(connection.engaged for connection in self._desk.connections) or len(self._desk.tasks)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all connections: arming three for each request would cost more than parsing it."""
        now = loop.time()
        for connection in list(self._desk.connections):
            if connection.deadline <= now:
                connection.overdue(now)
        self._sweeping = loop.call_later(self._limits.tick_s, self._sweep, loop)

    async def _bind(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise StartupError(f"cannot resolve the address {self._host!r} to listen on: {error}") from error
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # inherited: notices dead peers
            listening.bind(address)
            listening.listen(self._limits.backlog)
            listening.setblocking(False)  # noqa: FBT003 - the standard library has no keyword for it
        except OSError as error:
            listening.close()
            raise StartupError(_why_not(self._host, self._port, error)) from error
        return listening

    def _date_header(self) -> str:
        """SDKs mend a wrong clock by this header, so it tells real time, never business time."""
        second = int(self._clock.real())
        if second != self._date[0]:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]


class _Logged:
    """A handler with a line in the access log for every reply."""

    def __init__(self, handler: Handler, clock: Clock) -> None:
        self._handler = handler
        self._clock = clock

    async def handle(self, request: HttpRequest) -> HttpResponse:
        started = self._clock.monotonic()
        response = await self._handler.handle(request)
        self._line(request, response, started)
        return response

    def too_large(self, request: HttpRequest) -> HttpResponse:
        response = self._handler.too_large(request)
        self._line(request, response, self._clock.monotonic())
        return response

    def _line(self, request: HttpRequest, response: HttpResponse, started: float) -> None:
        took = (self._clock.monotonic() - started) * 1000
        access.info("%s %s %d %.1f ms", request.method, request.path, response.status, took)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken: another server (perhaps another Penstock) listens there. "
            "Stop it, or choose another port with --port (0 takes any free one)."
        )
    if error.errno == errno.EACCES:
        return (
            f"not allowed to listen on port {port} of {host}: ports below 1024 need privileges. Choose another --port."
        )
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
