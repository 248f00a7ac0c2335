"""An accepted asynchronous event. Rule: it exists in the store before its caller hears 202, until it is settled.

See https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from dataclasses import dataclass
from enum import StrEnum

from penstock.core.context import Scope


class EventState(StrEnum):
    """Where an event stands. A delivered event has no row; an exhausted one keeps it, with its last error."""

    WAITING = "waiting"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class AsyncEvent:
    """One event for one function qualifier. An alias is resolved at each delivery, so it follows a moving alias."""

    id: str
    """The request id the caller was given; every attempt runs under it, as in AWS."""
    scope: Scope
    function: str
    qualifier: str | None
    payload: bytes
    invoked_arn: str
    accepted_at: float
    next_at: float
    attempts: int = 0
    """Executions that ended in a function error."""
    refusals: int = 0
    """Deliveries in a row that never reached the function (throttled, platform error)."""
    client_context: str | None = None
    trace_header: str | None = None
    state: EventState = EventState.WAITING
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """AWS's defaults: two retries, events no older than six hours."""

    max_retries: int = 2
    max_age_s: float = 6 * 3600.0
