"""From an `HttpResponse` to bytes on the wire. Rule: a header that would break the reply apart is our bug, not sent."""

from http import HTTPStatus
from types import MappingProxyType

from penstock.gateway.contract import HttpResponse

STATUS_LINES = MappingProxyType({one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n" for one in HTTPStatus})
BODYLESS = frozenset({204, 304})


def head(response: HttpResponse, date: str, *, length: int | None, chunked: bool, close: bool) -> bytes:
    """Status line and headers; raises `ValueError` for a header with a line break in it."""
    parts = [STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"]
    parts += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
    parts.append(f"date: {date}\r\n")
    if length is not None:
        parts.append(f"content-length: {length}\r\n")
    if chunked:
        parts.append("transfer-encoding: chunked\r\n")
    if close:
        parts.append("connection: close\r\n")
    text = "".join(parts)
    if text.count("\n") != len(parts) or text.count("\r") != len(parts) or "\0" in text:
        raise ValueError("a reply's header holds a line break")
    return (text + "\r\n").encode("latin-1", "replace")


def refusal(status: int, phrase: str) -> bytes:
    """A whole reply to what is no request of ours."""
    return f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()
