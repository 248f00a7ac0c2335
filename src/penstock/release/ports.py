"""What release/ needs from elsewhere. Rule: small protocols, filled in by app.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from penstock.core.context import Scope
from penstock.registry.model import Alias
from penstock.store.database import Connection


class HookResult(StrEnum):
    """How the invoke of a hook function ended."""

    OK = "ok"
    """It returned. That alone says nothing: the report does."""
    FUNCTION_ERROR = "function-error"
    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    """Tried again until the hook's hour is over."""
    CANNOT_INVOKE = "cannot-invoke"


@dataclass(frozen=True, slots=True)
class HookInvocation:
    """The end of one hook invoke, with words for the person who asks why the deployment failed."""

    result: HookResult
    words: str = ""


class HookInvoker(Protocol):
    """Invokes a hook function and waits for its end."""

    async def invoke_hook(self, scope: Scope, function_ref: str, payload: bytes, request_id: str) -> HookInvocation:
        """`function_ref` is a name, a name with qualifier, or an ARN. Never raises for what the function does."""


class AlarmStates(Protocol):
    """The state of alarms by name (`OK`, `ALARM`, `INSUFFICIENT_DATA`), None for one that does not exist."""

    def __call__(self, connection: Connection, scope: Scope, names: Sequence[str]) -> Mapping[str, str | None]:
        """On the caller's snapshot."""


class AliasTable(Protocol):
    """The in-memory routing that invokes read (`registry.routing.Routes`)."""

    def put_alias(self, alias: Alias) -> None:
        """Called right after the commit that moved it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests in a window, and how many of them failed."""

    requests: float
    errors: float


class ErrorRates(Protocol):
    """Measured by observe/: how an alias, or one version behind it, did in a stretch of time."""

    async def rate(
        self, scope: Scope, function: str, alias: str, version: str | None, start: float, end: float
    ) -> Rate | None:
        """None when nothing was measured, which is not the same as no errors."""
