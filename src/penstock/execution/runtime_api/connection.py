"""One HTTP connection to an environment's address, over h11. Rule: a reply leaves as one segment; a client that sends
garbage loses its connection and nothing else.

Bodies are handed on as they come, because a streamed response may be long, and with trailers, because a stream that
fails says so there.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast

import h11

MAX_HEAD = 2 * 1024 * 1024
"""Runtime clients put the cause of an error, up to 1 MB of it, into a header."""
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request; header names are lower case."""

    method: str
    path: str
    headers: Headers


class Receiver(Protocol):
    """Takes the body of one request."""

    def data(self, chunk: bytes) -> None:
        """The next piece."""

    def end(self, trailers: Headers) -> None:
        """The whole body was received."""

    def lost(self) -> None:
        """The client went away before the end of its body."""


class Service(Protocol):
    """What is served at the address."""

    def open(self, request: Request, answer: "Answer") -> Receiver:
        """Begin a request. Its answer may be sent when its body has ended, or any time later."""


class Answer:
    """The one reply to one request."""

    def __init__(self, connection: "Connection") -> None:
        """Valid until sent or until the client goes away."""
        self._connection: Connection | None = connection
        self.on_lost: Callable[[], None] | None = None

    @property
    def open(self) -> bool:
        """Whether somebody still waits for it."""
        return self._connection is not None

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """Send it; nothing happens when the client is gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.reply(status, headers, body)

    def pause(self) -> None:
        """Read no more of the request's body for now."""
        if self._connection is not None:
            self._connection.flow(on=False)

    def resume(self) -> None:
        """Read on."""
        if self._connection is not None:
            self._connection.flow(on=True)

    def lose(self) -> None:
        """The client is gone."""
        self._connection = None
        if self.on_lost is not None:
            self.on_lost()


class Connection(asyncio.Protocol):
    """See the module."""

    def __init__(
        self, service: Service, opened: Callable[["Connection"], None], closed: Callable[["Connection"], None]
    ) -> None:
        """`opened` and `closed` hear of it, so that the address can drop it."""
        self._service = service
        self._opened = opened
        self._closed = closed
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._receiver: Receiver | None = None
        self._answer: Answer | None = None
        self._method = "GET"
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family != socket.AF_UNIX:
            # Nagle's algorithm and delayed acknowledgements together cost 40 ms a call.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        self._parser.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        self._parser.receive_data(b"")
        self._advance()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._closed(self)
        self._transport = None
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()
        if self._answer is not None and self._answer.open:
            self._answer.lose()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def flow(self, *, on: bool) -> None:
        """Go on or stop reading."""
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Head and body in one write."""
        if self._transport is None:
            return
        named = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        named.append((b"content-length", str(len(body)).encode()))
        reason = HTTPStatus(status).phrase.encode()
        head = self._parser.send(h11.Response(status_code=status, headers=named, reason=reason)) or b""
        sent = b"" if self._method == "HEAD" else self._parser.send(h11.Data(data=body)) or b""
        self._transport.write(b"".join((head, sent, self._parser.send(h11.EndOfMessage()) or b"")))
        self._finish()

    def _finish(self) -> None:
        """Both sides are done: the next request may come on this connection."""
        if self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE:
            self._parser.start_next_cycle()
            self._advance()
        elif self._parser.our_state is h11.MUST_CLOSE and self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        try:
            while (event := self._parser.next_event()) is not h11.NEED_DATA and event is not h11.PAUSED:
                if isinstance(event, h11.ConnectionClosed):
                    self._close()
                    return
                self._take(event)
            if self._parser.they_are_waiting_for_100_continue and self._transport is not None:
                self._transport.write(self._parser.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        except h11.RemoteProtocolError:
            self.abort()

    def _close(self) -> None:
        if self._transport is not None and (self._answer is None or not self._answer.open):
            self._transport.close()

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._method = event.method.decode()
            request = Request(self._method, event.target.decode("latin-1"), _headers(event.headers))
            self._answer = Answer(self)
            self._receiver = self._service.open(request, self._answer)
        elif isinstance(event, h11.Data) and self._receiver is not None:
            self._receiver.data(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            receiver.end(_headers(event.headers))


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    return {name.decode("latin-1"): value.decode("utf-8", "replace") for name, value in raw}
