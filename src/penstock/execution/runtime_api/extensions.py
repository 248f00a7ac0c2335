"""The Extensions API: register, next, init error, exit error. Follows
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.

Rule: external extensions are those whose file the environment started; every other name that registers before the
runtime first asks for an event is an internal one, which gets no SHUTDOWN.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.core.dice import Dice, new_uuid
from penstock.execution.runtime_api import refusals
from penstock.execution.runtime_api.connection import Answer, Receiver, Request
from penstock.execution.runtime_api.extension_states import MOVES, Phase
from penstock.execution.runtime_api.refusals import JSON, Buffered

MOST = 10
MAX_BODY = 256 * 1024
NAME = "lambda-extension-name"
IDENTIFIER = "lambda-extension-identifier"
ERROR_TYPE = "lambda-extension-function-error-type"
INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"


class Listener(Protocol):
    """Who hears what extensions say."""

    def extension_moved(self) -> None:
        """One registered, or waits for an event."""

    def extension_failed(self, name: str, kind: str, told: str) -> None:
        """One cannot go on: `Extension.InitError` or `Extension.ExitError`, and the type it told."""


@dataclass(eq=False, slots=True)
class Extension:
    """One extension."""

    name: str
    external: bool
    ident: str
    phase: Phase = Phase.STARTED
    events: tuple[str, ...] = ()
    waiting: Answer | None = None
    pending: bytes | None = None
    event_ident: str = field(default="")


class ExtensionsDesk:
    """The extensions' part of one environment's address."""

    def __init__(self, listener: Listener, dice: Dice, function: Mapping[str, str]) -> None:
        """`function` is what registration answers: functionName, functionVersion, handler."""
        self._listener = listener
        self._dice = dice
        self._function = function
        self._all: dict[str, Extension] = {}
        self._closed = False

    def expect(self, names: Iterable[str]) -> None:
        """These external ones are about to be started."""
        for name in names:
            self._all[name] = Extension(name, external=True, ident=new_uuid(self._dice))

    def close_registration(self) -> None:
        """The runtime asked for an event: nobody joins any more."""
        self._closed = True

    @property
    def all(self) -> list[Extension]:
        """Those that registered or were started."""
        return list(self._all.values())

    @property
    def registered(self) -> bool:
        """Whether every external one has."""
        return all(one.phase is not Phase.STARTED for one in self._all.values())

    @property
    def ready(self) -> bool:
        """Whether every one waits for its next event."""
        return all(one.phase is Phase.READY for one in self._all.values())

    def find(self, ident: str) -> Extension | None:
        """The one with this identifier."""
        return next((one for one in self._all.values() if one.ident == ident), None)

    def tell(self, kind: str, values: Mapping[str, Any]) -> None:
        """Give an event to all who want this kind."""
        for one in self._all.values():
            if kind in one.events:
                one.pending = json.dumps({"eventType": kind, **values}, separators=(",", ":")).encode()
                one.event_ident = new_uuid(self._dice)
                one.phase = Phase.RUNNING if one.phase is Phase.READY else one.phase
                self._hand_over(one)

    def route(self, path: str, request: Request, answer: Answer) -> Receiver:
        """Begin a request below `/extension`."""
        steps = {
            ("POST", "/register"): lambda body: self._register(request, answer, body),
            ("GET", "/event/next"): lambda _: self._known(request, answer, self._next),
            ("POST", "/init/error"): lambda _: self._known(request, answer, self._init_error),
            ("POST", "/exit/error"): lambda _: self._known(request, answer, self._exit_error),
        }
        step = steps.get((request.method, path.rstrip("/")))
        if step is None:
            return Buffered(lambda _: refusals.not_found(answer))
        return Buffered(step, MAX_BODY)

    def _register(self, request: Request, answer: Answer, body: bytes | None) -> None:
        name = request.headers.get(NAME, "")
        if not name:
            refusals.refuse(answer, 403, "Extension.InvalidExtensionName", "Empty extension name")
            return
        events = _events(body)
        if events is None:
            refusals.refuse(answer, 403, "InvalidRequestFormat", "The body is a JSON object with a list of events")
            return
        extension = self._all.get(name)
        allowed = (INVOKE, SHUTDOWN) if extension is not None and extension.external else (INVOKE,)
        wrong = [event for event in events if event not in allowed]
        if wrong:
            refusals.refuse(answer, 403, "Extension.InvalidEventType", f"{wrong[0]}: only {' and '.join(allowed)}")
            return
        if extension is None:
            extension = self._join(name, answer)
        if extension is not None and self._may(extension, Phase.REGISTERED, answer):
            extension.phase, extension.events = Phase.REGISTERED, tuple(events)
            headers = {**JSON, "Lambda-Extension-Identifier": extension.ident}
            answer.send(200, headers, json.dumps(dict(self._function)).encode())
            self._listener.extension_moved()

    def _join(self, name: str, answer: Answer) -> Extension | None:
        if self._closed:
            refusals.refuse(answer, 403, "Extension.RegistrationClosed", "Extension registration closed already")
            return None
        if len(self._all) >= MOST:
            refusals.refuse(answer, 403, "Extension.TooManyExtensions", f"Extension limit ({MOST}) reached")
            return None
        self._all[name] = Extension(name, external=False, ident=new_uuid(self._dice))
        return self._all[name]

    def _known(self, request: Request, answer: Answer, then: "Step") -> None:
        ident = request.headers.get(IDENTIFIER, "")
        found = self.find(ident)
        if found is not None:
            then(found, request, answer)
        elif not ident:
            message = "Missing Lambda-Extension-Identifier header"
            refusals.refuse(answer, 403, "Extension.MissingExtensionIdentifier", message)
        else:
            refusals.refuse(answer, 403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {ident}")

    def _may(self, extension: Extension, then: Phase, answer: Answer) -> bool:
        if then in MOVES[extension.phase]:
            return True
        refusals.wrong_moment(answer, extension.phase, then, f"extension {extension.name}")
        return False

    def _next(self, extension: Extension, _request: Request, answer: Answer) -> None:
        if not self._may(extension, Phase.READY, answer):
            return
        extension.phase, extension.waiting = Phase.READY, answer
        self._hand_over(extension)
        self._listener.extension_moved()

    def _hand_over(self, extension: Extension) -> None:
        answer, event = extension.waiting, extension.pending
        if answer is None or event is None or not answer.open:
            return
        extension.waiting = extension.pending = None
        extension.phase = Phase.RUNNING
        answer.send(200, {**JSON, "Lambda-Extension-Event-Identifier": extension.event_ident}, event)

    def _init_error(self, extension: Extension, request: Request, answer: Answer) -> None:
        self._fail(extension, Phase.INIT_FAILED, request, answer)

    def _exit_error(self, extension: Extension, request: Request, answer: Answer) -> None:
        self._fail(extension, Phase.EXIT_FAILED, request, answer)

    def _fail(self, extension: Extension, then: Phase, request: Request, answer: Answer) -> None:
        told = request.headers.get(ERROR_TYPE, "")
        if not told:
            message = "Missing Lambda-Extension-Function-Error-Type header"
            refusals.refuse(answer, 403, "Extension.MissingHeader", message)
        elif self._may(extension, then, answer):
            extension.phase = then
            refusals.accept(answer)
            self._listener.extension_failed(extension.name, f"Extension.{then}", told)


class Step(Protocol):
    """A request of a known extension."""

    def __call__(self, extension: Extension, request: Request, answer: Answer, /) -> None:
        """Answer it."""


def _events(body: bytes | None) -> list[str] | None:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return None
    events = found.get("events", []) if isinstance(found, dict) else None
    return events if isinstance(events, list) and all(isinstance(one, str) for one in events) else None
