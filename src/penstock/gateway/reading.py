"""From a client's bytes to whole requests: what httptools calls back while it parses.

Rule: a request is handed on once, complete; a body over the limit is read on and thrown away, because closing a socket
with unread data resets it, and the client would never see why.
"""

from typing import Protocol

import httptools

from penstock.gateway.contract import HttpRequest

HOP_BY_HOP = frozenset({"upgrade", "connection", "http2-settings"})


class Listener(Protocol):
    """Who hears of requests."""

    def head_began(self) -> None:
        """The first byte of a request is here."""

    def head_done(self) -> None:
        """Its headers are; the body follows."""

    def complete(self, request: HttpRequest, *, too_large: bool, keep_alive: bool) -> None:
        """All of it is. With `too_large` the body was over the limit and is left out."""


class RequestReader:
    """One connection's requests, one after the other."""

    def __init__(self, listener: Listener, max_body: int, source_ip: str) -> None:
        """`max_body` bytes are kept, as much again is read and thrown away."""
        self._listener = listener
        self._max_body = max_body
        self._source_ip = source_ip
        self._parser = httptools.HttpRequestParser(self)
        self.active = False
        """Whether a request is half here."""
        self.in_head = True
        self.wants_continue = False
        """Whether the client waits for `100 Continue` before it sends the body."""
        self.body_bytes = 0
        self._abandoned = False
        self._url = b""
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Parse what came; raises `httptools.HttpParserError` for what is no HTTP, or asks to be a proxy."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._parser.get_method() == b"CONNECT":
                raise httptools.HttpParserError("this server is no proxy") from None
            self._ignore_upgrade(data[upgrade.args[0] :])

    def on_message_begin(self) -> None:
        self.active = self.in_head = True
        self.wants_continue = self._abandoned = False
        self.body_bytes = 0
        self._url = b""
        self._headers = {}
        self._chunks = []
        self._listener.head_began()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        if not self.in_head:
            return  # a trailer: nothing here asks for one
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers = self._headers
        headers[name] = f"{headers[name]},{value}" if name in headers else value

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade():
            return  # `feed` reads this request again without its wish
        self.in_head = False
        length = self._headers.get("content-length", "")
        declared = int(length) if length.isdigit() else 0
        self.wants_continue = self._headers.get("expect", "").lower() == "100-continue"
        if declared > self._max_body and (self.wants_continue or declared > 2 * self._max_body):
            self._abandon()
        else:
            self._listener.head_done()

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes <= self._max_body:
            self._chunks.append(body)
        elif self.body_bytes > 2 * self._max_body and not self._abandoned:
            self._abandon()

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade() or self._abandoned:
            return
        self.active, self.in_head = False, True
        too_large = self.body_bytes > self._max_body
        body = b"" if too_large else self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        self._listener.complete(self._request(body), too_large=too_large, keep_alive=self._keep_alive())

    def _abandon(self) -> None:
        self._abandoned, self.active, self._chunks = True, False, []
        self._listener.complete(self._request(b""), too_large=True, keep_alive=False)

    def _keep_alive(self) -> bool:
        return bool(self._parser.should_keep_alive()) and self._parser.get_http_version() != "1.0"

    def _request(self, body: bytes) -> HttpRequest:
        url = self._url
        if url.startswith(b"/") and b"#" not in url:
            path, _, query = url.partition(b"?")
        else:
            path, query = _target(url)
        return HttpRequest(
            method=self._parser.get_method().decode("latin-1"),
            path=path.decode("latin-1"),
            query=query.decode("latin-1"),
            headers=self._headers,
            body=body,
            source_ip=self._source_ip,
        )

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again as if it had not asked for another protocol (Java's HTTP client asks for h2c).

        The parser takes what follows an upgrade for that protocol's bytes, and would lose the body.
        """
        close = "close" in self._headers.get("connection", "").lower()
        kept = {name: value for name, value in self._headers.items() if name not in HOP_BY_HOP}
        if close:
            kept["connection"] = "close"
        lines = [f"{name}: {value}".encode("latin-1") for name, value in kept.items()]
        request_line = self._parser.get_method() + b" " + self._url + b" HTTP/1.1"
        self._parser = httptools.HttpRequestParser(self)
        self.feed(b"\r\n".join([request_line, *lines, b"", b""]) + rest)


def _target(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of an absolute form, as proxies get it; what is no URL (`*`) is left to be found unknown."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return url, b""
    return parsed.path or b"/", parsed.query or b""
