"""The HTTP server: uvicorn's httptools protocol on the caller's event loop, a raw ASGI function on top.

Rule: it installs no signal handlers and owns no loop, so two servers fit in one process; a client can neither hold it
(see `connection.py`) nor make it forget a request that has begun.
"""

import asyncio
import errno
import logging
import socket
from email.utils import formatdate
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.server import ServerState

from penstock.core.clock import Clock
from penstock.core.errors import StartupError
from penstock.gateway.connection import Limits, WatchedProtocol, close_now
from penstock.gateway.contract import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
STOP_S = 5.0
"""Real seconds that cancelled requests get to clean up."""
access = logging.getLogger("penstock.access")


class Handler(Protocol):
    """What the server serves; `pipeline.Gateway`."""

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The reply to a complete request."""

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """The reply to a request whose body is over the limit; the request comes without its body."""


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
        self._handler = handler
        self._clock = clock
        self._host = host
        self._port = port
        self._max_body = max_body_bytes
        self._limits = limits or Limits()
        self._access_log = access_log
        self._state = ServerState()
        self._listener: asyncio.Server | None = None
        self._date = (0, b"")
        self._stopping = False

    async def start(self) -> int:
        """Listen; the port. Raises `StartupError` when the address cannot be had."""
        loop = asyncio.get_running_loop()
        listening = await self._bind(loop)
        config = Config(
            self._asgi,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(self._limits.keep_alive_s),
        )
        config.load()
        self._listener = await loop.create_server(
            lambda: WatchedProtocol(config, self._state, self._limits, loop),
            sock=listening,
            backlog=self._limits.backlog,
        )
        port: int = listening.getsockname()[1]
        return port

    async def drain(self, timeout_s: float) -> bool:
        """Stop accepting and let the requests in hand finish; whether all did within `timeout_s` real seconds."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        if not tasks:
            return True
        _, unfinished = await asyncio.wait(tasks, timeout=timeout_s)
        if unfinished:
            log.warning("%d requests did not finish within %.1f s of draining", len(unfinished), timeout_s)
        return not unfinished

    async def stop(self) -> None:
        """Close everything now; requests still in hand are cancelled."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._stopping = True
        for connection in list(self._state.connections):
            close_now(connection)
        await self._clock.pause(0)  # lets the connections notice, so that nobody writes to them any more
        tasks = set(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)

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

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        started = self._clock.monotonic()
        body = await self._read_body(scope, receive)
        if body is None:
            return  # the client left before its request was complete: nothing has begun
        request = _request(scope, b"" if isinstance(body, _TooLarge) else body)
        if isinstance(body, _TooLarge):
            response = self._handler.too_large(request)
        else:
            response = await self._handler.handle(request)
        await self._send(response, send, close=isinstance(body, _TooLarge))
        if self._access_log:
            took = (self._clock.monotonic() - started) * 1000
            access.info("%s %s %d %.1f ms", request.method, request.path, response.status, took)

    async def _read_body(self, scope: Any, receive: Any) -> "bytes | _TooLarge | None":
        """The whole body; None when the client left. A body over the limit is read on and thrown away.

        Reading on matters: closing a socket with unread data resets it, and the client would never see why.
        """
        declared = _declared_length(scope)
        expects = any(name == b"expect" for name, _ in scope["headers"])
        if declared > self._max_body and (expects or declared > 2 * self._max_body):
            return _TooLarge()
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message["body"])
            if size <= self._max_body:
                chunks.append(message["body"])
            elif size > 2 * self._max_body:
                return _TooLarge()
            if not message["more_body"]:
                break
        return _TooLarge() if size > self._max_body else b"".join(chunks)

    async def _send(self, response: HttpResponse, send: Any, *, close: bool) -> None:
        headers = [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers.items()
        ]
        headers.append((b"date", self._date_header()))
        if close:
            headers.append((b"connection", b"close"))
        body = response.body
        if isinstance(body, bytes):
            if response.status not in {204, 304}:
                headers.append((b"content-length", str(len(body)).encode()))
            else:
                body = b""
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _date_header(self) -> bytes:
        """SDKs mend a wrong clock by this header, so it tells real time, never business time."""
        second = int(self._clock.real())
        if second != self._date[0]:
            self._date = (second, formatdate(second, usegmt=True).encode())
        return self._date[1]


class _TooLarge:
    """In the place of a body that is over the limit."""


def _declared_length(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _request(scope: Any, body: bytes) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    client = scope["client"]
    return HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        source_ip=client[0] if client else "",
    )


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
