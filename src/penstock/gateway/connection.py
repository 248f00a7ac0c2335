"""One client connection: uvicorn's protocol, with a watch on clients that send slowly or stop in the middle.

Rule: until a request is complete the client is on the clock; once it is complete the operation may take its time.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may do. All durations are real seconds."""

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


class WatchedProtocol(HttpToolsProtocol):
    """`HttpToolsProtocol` with deadlines for head and body and a limit on the head's size."""

    def __init__(
        self, config: Config, server_state: ServerState, limits: Limits, loop: asyncio.AbstractEventLoop
    ) -> None:
        """`limits` are this server's."""
        super().__init__(config, server_state, {}, _loop=loop)
        self._limits = limits
        self._reading_head = True
        self._head_bytes = 0
        self._body_bytes = 0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(self._limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reading_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self.send_400_response("This server is no proxy.")
                return
            self._ignore_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        # Checked after parsing, when the bytes that already belong to a body no longer count.
        if self._reading_head and self._head_bytes > self._limits.head_bytes and not self.transport.is_closing():
            self._reject(431, "Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = True
        self._head_bytes = 0
        self._arm(self._limits.head_s)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # `data_received` reads this request again without its wish
        super().on_headers_complete()
        self._reading_head = False
        self._body_bytes = 0
        self._body_began = self.loop.time()
        self._arm(self._limits.body_grace_s)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._disarm()
        self._head_bytes = 0
        self._reading_head = True
        super().on_message_complete()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again as if it had not asked for another protocol (Java's HTTP client asks for h2c).

        The parser takes what follows an upgrade for that protocol's bytes, and would lose the body.
        """
        hop = {b"upgrade", b"connection", b"http2-settings"}
        close = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        kept = [(name, value) for name, value in self.headers if name not in hop]
        kept += [(b"connection", b"close")] if close else []
        lines = [name + b": " + value for name, value in kept]
        request_line = self.parser.get_method() + b" " + self.url + b" HTTP/1.1"
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([request_line, *lines, b"", b""]) + rest)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._watch = self.loop.call_later(seconds, self._overdue)

    def _disarm(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _overdue(self) -> None:
        self._watch = None
        if self.transport.is_closing():
            return
        if self._head_incomplete() or (not self._waiting_for_us() and self._body_too_slow()):
            self._reject(408, "Request Timeout")
        else:
            self._arm(self._limits.body_grace_s)

    def _head_incomplete(self) -> bool:
        return self._reading_head

    def _waiting_for_us(self) -> bool:
        """A pipelined request is read only when the one before it is answered: that is not the client's slowness."""
        return bool(self.pipeline)

    def _body_too_slow(self) -> bool:
        elapsed = self.loop.time() - self._body_began
        expected = (elapsed - self._limits.body_grace_s) * self._limits.body_bytes_per_s
        return self._body_bytes <= expected

    def _reject(self, status: int, phrase: str) -> None:
        """Say why, if the reply has not begun, and hang up."""
        begun = self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started
        if not begun:
            head = f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            with contextlib.suppress(OSError, RuntimeError):
                self.transport.write(head.encode())
        self.transport.close()


def close_now(connection: Any) -> None:
    """Drop a connection without another word."""
    if connection.transport is not None:
        connection.transport.abort()
