"""One client connection: requests in, replies out, in order, and a watch on clients that send slowly or stop midway.

Rule: until a request is complete the client is on the clock; once it is complete the operation may take its time.
Our own protocol over httptools, because an ASGI layer between cost a third of a warm invoke (docs/decisions).
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import httptools

from penstock.gateway.contract import HttpRequest, HttpResponse
from penstock.gateway.reading import RequestReader
from penstock.gateway.reply import BODYLESS, head, refusal

log = logging.getLogger(__name__)
JOINED_BYTES = 16 * 1024
"""Up to this size a body is copied behind its head, so that both leave in one packet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may do. All durations are real seconds, kept to within a quarter."""

    head_bytes: int = 64 * 1024
    """Request line and headers together."""
    head_s: float = 15.0
    """From the first byte of a request to the end of its headers, and from connecting to the first byte."""
    body_grace_s: float = 15.0
    """How long a body may bring nothing at all."""
    body_bytes_per_s: int = 1024
    """What a body must bring on average once the grace is over."""
    keep_alive_s: float = 120.0
    """How long a connection may idle between requests. Longer than SDK pools use one, so they close first."""
    backlog: int = 2048

    @property
    def tick_s(self) -> float:
        """How often deadlines are looked at."""
        return min(self.head_s, self.body_grace_s, self.keep_alive_s) / 4


class Handler(Protocol):
    """What is served; `pipeline.Gateway`."""

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The reply to a complete request."""

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """The reply to a request whose body is over the limit; the request comes without its body."""


@dataclass(slots=True)
class Desk:
    """What all connections of one server share."""

    handler: Handler
    limits: Limits
    max_body: int
    date: Callable[[], str]
    connections: "set[Connection]" = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """Requests in hand."""
    stopping: bool = False


class Connection(asyncio.Protocol):
    """See the module."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        """Registers itself at `desk` while it is open."""
        self._desk = desk
        self._loop = loop
        self._waiting: deque[_Whole] = deque()
        self._busy = False
        self._served = False
        self._deaf = False
        """What still comes in is ignored."""
        self._ending = False
        """The connection closes when every request it has brought is answered."""
        self._head_bytes = 0
        self._body_since = 0.0
        self._body_before = 0
        self._unread: asyncio.Event | None = None
        """Set once the client has taken what was written; None while it keeps up."""
        self.deadline = math.inf
        """On the loop's clock; looked at by the server every `Limits.tick_s`."""

    @property
    def engaged(self) -> bool:
        """Whether a request is in hand, or its body on the way."""
        return self._busy or bool(self._waiting) or (self._reader.active and not self._reader.in_head)

    # What the transport tells.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._reader = RequestReader(self, self._desk.max_body, str(peer[0]) if isinstance(peer, tuple) else "")
        self._desk.connections.add(self)
        self.deadline = self._loop.time() + self._desk.limits.head_s

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._desk.connections.discard(self)
        self._deaf = True
        self._waiting.clear()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._unread = asyncio.Event()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.set()
            self._unread = None
        if not self._busy:
            self._next()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        reader = self._reader
        if reader.in_head:
            self._head_bytes += len(data)
        try:
            reader.feed(data)
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                log.exception("a request could not be taken in")
            self._refuse(400, "Bad Request")
            return
        # Checked after parsing, when the bytes that already belong to a body no longer count.
        if reader.active and reader.in_head and self._head_bytes > self._desk.limits.head_bytes:
            self._refuse(431, "Request Header Fields Too Large")

    # What the reader tells.

    def head_began(self) -> None:
        self._head_bytes = 0
        if not self._busy:
            self.deadline = self._loop.time() + self._desk.limits.head_s

    def head_done(self) -> None:
        if not self._busy:
            self._watch_body()

    def complete(self, request: HttpRequest, *, too_large: bool, keep_alive: bool) -> None:
        if not keep_alive:
            self._deaf = True
        whole = _Whole(request, too_large, keep_alive)
        if self._busy or self._waiting:  # pipelined: read no further until its turn comes
            self._waiting.append(whole)
            self._transport.pause_reading()
        else:
            self._begin(whole)

    # What the server asks.

    def overdue(self, now: float) -> None:
        """The deadline has passed."""
        reader = self._reader
        if self._served and not reader.active:
            self._transport.close()
        elif reader.in_head or self._body_too_slow(now):
            self._refuse(408, "Request Timeout")
        else:
            self.deadline = now + self._desk.limits.body_grace_s

    def shutdown(self) -> None:
        """Close as soon as no request is in hand."""
        self._ending = True
        if not self.engaged:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection without another word."""
        self._transport.abort()

    # Requests and replies.

    def _begin(self, whole: "_Whole") -> None:
        self._busy = self._served = True
        self.deadline = math.inf
        if whole.too_large:
            self._deaf = True
            self._write(self._desk.handler.too_large(whole.request), whole.request, close=True)
            self._done(close=True)
            return
        task = self._loop.create_task(self._serve(whole))
        self._desk.tasks.add(task)
        task.add_done_callback(self._desk.tasks.discard)

    async def _serve(self, whole: "_Whole") -> None:
        close = True
        try:
            response = await self._desk.handler.handle(whole.request)
            close = not whole.keep_alive or (self._ending and not self._waiting)
            if isinstance(response.body, bytes):
                self._write(response, whole.request, close=close)
            else:
                await self._stream(response, response.body, whole.request, close=close)
        except asyncio.CancelledError:
            if not self._desk.stopping:
                self._done(close=True)
                raise
        except Exception:
            log.exception("the reply to %s %s could not be written", whole.request.method, whole.request.path)
            close = True
        self._done(close=close)

    def _done(self, *, close: bool) -> None:
        self._busy = False
        reader, limits = self._reader, self._desk.limits
        if close:
            self._deaf = True
            self._transport.close()
        elif self._waiting:
            self._next()
        elif reader.active and not reader.in_head:
            self._watch_body()
        else:
            self.deadline = self._loop.time() + (limits.head_s if reader.active else limits.keep_alive_s)

    def _next(self) -> None:
        """Begin what waits, unless the client has not taken the last reply yet."""
        if not self._waiting or self._unread is not None:
            return
        whole = self._waiting.popleft()
        if not self._waiting:
            self._transport.resume_reading()
        self._begin(whole)

    def _write(self, response: HttpResponse, request: HttpRequest, *, close: bool) -> None:
        body = response.body
        assert isinstance(body, bytes)
        if self._transport.is_closing():
            return
        bodyless = response.status in BODYLESS
        length = None if bodyless else len(body)
        start = head(response, self._desk.date(), length=length, chunked=False, close=close)
        if bodyless or request.method == "HEAD":
            self._transport.write(start)
        elif len(body) <= JOINED_BYTES:
            self._transport.write(start + body)
        else:
            self._transport.writelines((start, body))

    async def _stream(
        self, response: HttpResponse, body: AsyncIterator[bytes], request: HttpRequest, *, close: bool
    ) -> None:
        start = head(response, self._desk.date(), length=None, chunked=True, close=close)
        self._transport.write(start)
        async for piece in body:
            if piece and request.method != "HEAD" and not self._transport.is_closing():
                self._transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
                if self._unread is not None:
                    await self._unread.wait()
        if request.method != "HEAD" and not self._transport.is_closing():
            self._transport.write(b"0\r\n\r\n")

    # The client's time.

    def _watch_body(self) -> None:
        reader = self._reader
        if reader.wants_continue:
            reader.wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._body_before = reader.body_bytes
        self._body_since = self._loop.time()
        self.deadline = self._body_since + self._desk.limits.body_grace_s

    def _body_too_slow(self, now: float) -> bool:
        limits = self._desk.limits
        expected = (now - self._body_since - limits.body_grace_s) * limits.body_bytes_per_s
        return self._reader.body_bytes - self._body_before <= expected

    def _refuse(self, status: int, phrase: str) -> None:
        """Say why, if no reply is due before it, and hang up."""
        self._deaf = self._ending = True
        if self._busy or self._waiting or self._transport.is_closing():
            return
        self._transport.write(refusal(status, phrase))
        self._transport.close()


class _Whole(NamedTuple):
    """A request that is complete."""

    request: HttpRequest
    too_large: bool
    keep_alive: bool
