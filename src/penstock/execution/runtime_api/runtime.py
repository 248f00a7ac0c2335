"""The Runtime API: next, response, error, init error, restore. Follows
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.

Rule: the request id is checked before the state, the state before anything is believed; what is believed is told to
the listener exactly once.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.execution.bootstrap.frames import MAX_RESPONSE
from penstock.execution.runtime_api import refusals
from penstock.execution.runtime_api.connection import Answer, Headers, Receiver, Request
from penstock.execution.runtime_api.refusals import Buffered
from penstock.execution.runtime_api.states import MOVES, Client

MODE = "lambda-runtime-function-response-mode"
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


class Listener(Protocol):
    """Who hears what the runtime says."""

    def runtime_ready(self) -> None:
        """It waits for an event."""

    def init_failed(self, kind: str, body: bytes) -> None:
        """Its init code failed."""

    def responding(self, answer: Answer, content_type: str) -> None:
        """A streamed reply begins; the answer slows it down."""

    def chunk(self, data: bytes) -> None:
        """A piece of a streamed reply."""

    def responded(self, payload: bytes) -> None:
        """The reply; empty after a streamed one."""

    def failed(self, kind: str, body: bytes) -> None:
        """The invoke ended in an error document."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event for the runtime."""

    request_id: str
    deadline_ms: int
    """Real time since the epoch."""
    arn: str
    payload: bytes
    trace: str
    client_context: str | None = None
    identity: str | None = None

    def headers(self) -> dict[str, str]:
        """As AWS names them."""
        named = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": self.request_id,
            "lambda-runtime-deadline-ms": str(self.deadline_ms),
            "lambda-runtime-invoked-function-arn": self.arn,
            "lambda-runtime-trace-id": self.trace,
        }
        if self.client_context:
            named["lambda-runtime-client-context"] = self.client_context
        if self.identity:
            named["lambda-runtime-cognito-identity"] = self.identity
        return {name.title(): _header(value) for name, value in named.items()}


class RuntimeDesk:
    """The runtime's part of one environment's address."""

    def __init__(self, listener: Listener, *, restorable: bool) -> None:
        """`restorable` for versions with SnapStart; for others there is no restore path."""
        self._listener = listener
        self._restorable = restorable
        self._state = Client.STARTED
        self._waiting: Answer | None = None
        self._event: Event | None = None
        self._current: str | None = None

    @property
    def state(self) -> Client:
        """Where the runtime stands."""
        return self._state

    def deliver(self, event: Event) -> None:
        """Hand the waiting runtime an event."""
        self._event = event
        if self._waiting is not None:
            self._hand_over(self._waiting)

    def route(self, path: str, request: Request, answer: Answer) -> Receiver:  # noqa: PLR0911 - one return per path
        """Begin a request below `/runtime`."""
        parts = path.strip("/").split("/")
        method = self._method(parts)
        if not method:
            return Buffered(lambda _: refusals.not_found(answer))
        if request.method != method:
            return Buffered(lambda _: refusals.wrong_method(answer))
        match parts:
            case ["invocation", "next"]:
                return Buffered(lambda _: self._next(answer))
            case ["invocation", ident, "response"]:
                return self._response(ident, request, answer)
            case ["invocation", ident, "error"]:
                return Buffered(lambda body: self._error(ident, request, answer, body), MAX_RESPONSE)
            case ["restore", "next"]:
                return Buffered(lambda _: self._restore(answer))
        return Buffered(lambda body: self._init_error(request, answer, body), MAX_RESPONSE)

    def _method(self, parts: list[str]) -> str:
        """What a path is asked with; empty for one that is not there."""
        match parts:
            case ["invocation", "next"]:
                return "GET"
            case ["invocation", _, "response" | "error"] | ["init", "error"]:
                return "POST"
            case ["restore", "next" | "error"] if self._restorable:
                return "GET" if parts[1] == "next" else "POST"
        return ""

    def _may(self, then: Client, answer: Answer) -> bool:
        if then in MOVES[self._state]:
            return True
        refusals.wrong_moment(answer, self._state, then)
        return False

    def _next(self, answer: Answer) -> None:
        if not self._may(Client.READY, answer):
            return
        if self._waiting is not None and self._waiting.open:
            refusals.wrong_moment(answer, self._state, Client.READY)
            return
        again = self._state is Client.READY
        self._state, self._waiting = Client.READY, answer
        if self._event is not None:
            self._hand_over(answer)
        elif not again:
            self._listener.runtime_ready()

    def _hand_over(self, answer: Answer) -> None:
        event = self._event
        if event is None or not answer.open:
            return  # its connection broke; it will ask again
        self._event, self._waiting = None, None
        self._state, self._current = Client.RUNNING, event.request_id
        answer.send(200, event.headers(), event.payload)

    def _restore(self, answer: Answer) -> None:
        # Every copy here is initialised by itself, so what waits for its restore has been restored.
        if self._may(Client.RESTORED, answer):
            self._state = Client.RESTORED
            answer.send(200, {}, b"")

    def _init_error(self, request: Request, answer: Answer, body: bytes | None) -> None:
        if self._may(Client.FAILED, answer):
            self._state = Client.FAILED
            kind, document = _document(request.headers, body)
            refusals.accept(answer)
            self._listener.init_failed(kind, document)

    def _error(self, ident: str, request: Request, answer: Answer, body: bytes | None) -> None:
        if self._is_running(ident, answer, Client.RESPONDED):
            self._state = Client.RESPONDED
            kind, document = _document(request.headers, body)
            refusals.accept(answer)
            self._listener.failed(kind, document)

    def _is_running(self, ident: str, answer: Answer, then: Client) -> bool:
        if ident != self._current:
            refusals.unknown_invocation(answer)
            return False
        return self._may(then, answer)

    def _response(self, ident: str, request: Request, answer: Answer) -> Receiver:
        mode = request.headers.get(MODE, "")
        if mode.lower() == "streaming":
            if ident == self._current and Client.RESPONDING in MOVES[self._state]:
                self._state = Client.RESPONDING
                self._listener.responding(answer, request.headers.get("content-type", "application/octet-stream"))
                return _Streamed(self, answer)
            return Buffered(lambda _: self._refuse_stream(ident, answer))
        if mode and mode.lower() != "buffered":
            message = "Invalid function response mode"
            return Buffered(lambda _: refusals.refuse(answer, 400, "InvalidFunctionResponseMode", message))
        return Buffered(lambda body: self._buffered(ident, answer, body), MAX_RESPONSE)

    def _refuse_stream(self, ident: str, answer: Answer) -> None:
        if self._is_running(ident, answer, Client.RESPONDING):  # it became so while the body came in
            refusals.truncated(answer)

    def _buffered(self, ident: str, answer: Answer, body: bytes | None) -> None:
        if not self._is_running(ident, answer, Client.RESPONDED):
            return
        self._state = Client.RESPONDED
        if body is None:
            refusals.too_large(answer)
            self._listener.failed(*response_too_large())
        else:
            refusals.accept(answer)
            self._listener.responded(body)

    # What a streamed reply tells.

    def chunk(self, data: bytes) -> None:
        """A piece arrived."""
        if self._state is Client.RESPONDING:
            self._listener.chunk(data)

    def stream_ended(self, answer: Answer, trailers: Headers) -> None:
        """The stream's end, or its failure as its trailers say."""
        if self._state is not Client.RESPONDING:
            return
        self._state = Client.RESPONDED
        refusals.accept(answer)
        if ERROR_TYPE in trailers:
            self._listener.failed(*_from_trailers(trailers))
        else:
            self._listener.responded(b"")

    def stream_lost(self) -> None:
        """The runtime broke off in the middle."""
        if self._state is Client.RESPONDING:
            self._state = Client.RESPONDED
            kind, message = "Runtime.TruncatedResponse", "Response stream was truncated"
            self._listener.failed(kind, _error_document(kind, message))


class _Streamed:
    """The receiver of a streamed reply."""

    def __init__(self, desk: RuntimeDesk, answer: Answer) -> None:
        self._desk = desk
        self._answer = answer

    def data(self, chunk: bytes) -> None:
        self._desk.chunk(chunk)

    def end(self, trailers: Headers) -> None:
        self._desk.stream_ended(self._answer, trailers)

    def lost(self) -> None:
        self._desk.stream_lost()


def response_too_large() -> tuple[str, bytes]:
    """Kind and document of a response over the limit."""
    kind = "Function.ResponseSizeTooLarge"
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
    return kind, _error_document(kind, message)


def _document(headers: Headers, body: bytes | None) -> tuple[str, bytes]:
    """The error's type and its document: the body as sent, or one made from the header when there is none."""
    told = headers.get(ERROR_TYPE, "")
    parsed = _parse(body or b"")
    kind = told or str(parsed.get("errorType") or "Unhandled")
    if body:
        return kind, body
    return kind, json.dumps({"errorType": kind}, separators=(",", ":")).encode()


def _from_trailers(trailers: Headers) -> tuple[str, bytes]:
    kind = trailers[ERROR_TYPE]
    try:
        body = base64.b64decode(trailers.get(ERROR_BODY, ""), validate=True)
    except (binascii.Error, ValueError):
        body = b""
    return kind, body or json.dumps({"errorType": kind}, separators=(",", ":")).encode()


def _error_document(kind: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}, separators=(",", ":")).encode()


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _header(value: str) -> str:
    """A value that cannot break out of its header line."""
    return _CONTROL.sub(" ", value).strip().encode("utf-8", "replace").decode("latin-1")


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
