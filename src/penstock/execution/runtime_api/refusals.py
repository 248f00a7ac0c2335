"""What the address answers besides events: acceptance and refusals. Rule: AWS's status codes and error types.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from penstock.execution.bootstrap.frames import MAX_RESPONSE
from penstock.execution.runtime_api.connection import Answer, Headers

Done = Callable[[bytes | None], None]
JSON: Mapping[str, str] = MappingProxyType({"content-type": "application/json"})


def accept(answer: Answer) -> None:
    """202: taken."""
    answer.send(202, JSON, b'{"status":"OK"}\n')


def refuse(answer: Answer, status: int, kind: str, message: str) -> None:
    """An error document."""
    body = json.dumps({"errorMessage": message, "errorType": kind}, separators=(",", ":")).encode()
    answer.send(status, JSON, body)


def not_found(answer: Answer) -> None:
    """404: no such path."""
    answer.send(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")


def wrong_method(answer: Answer) -> None:
    """405: the path exists, not for this method."""
    answer.send(405, {}, b"")


def unknown_invocation(answer: Answer) -> None:
    """400: the request id is not that of the running invoke."""
    refuse(answer, 400, "InvalidRequestID", "Invalid request ID")


def wrong_moment(answer: Answer, now: str, wanted: str, who: str = "runtime") -> None:
    """403: the caller is in a state that does not allow this."""
    message = f"State transition from {now} to {wanted} failed for {who}. Error: State transition is not allowed"
    refuse(answer, 403, "InvalidStateTransition", message)


def too_large(answer: Answer) -> None:
    """413: over the limit of a buffered response."""
    message = f"Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
    refuse(answer, 413, "RequestEntityTooLarge", message)


def truncated(answer: Answer) -> None:
    """400: the body is not what its head said."""
    refuse(answer, 400, "TruncatedHTTPRequest", "HTTP request detected as truncated")


class Buffered:
    """A receiver that gathers a bounded body and hands it over once; what is over the limit is read and dropped."""

    def __init__(self, done: Done, limit: int = 0) -> None:
        """`done` gets None in the place of a body over `limit` bytes."""
        self._done = done
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0

    def data(self, chunk: bytes) -> None:
        """See `Receiver`."""
        self._size += len(chunk)
        if self._size <= self._limit:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def end(self, trailers: Headers) -> None:
        """See `Receiver`."""
        del trailers
        self._done(b"".join(self._chunks) if self._size <= self._limit else None)

    def lost(self) -> None:
        """See `Receiver`."""
