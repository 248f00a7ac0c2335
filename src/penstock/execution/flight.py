"""One invoke under way, and what its end means. Rule: settled exactly once; the caller's going away changes nothing.

Everything that ends an invoke (reply, timeout, crash) comes in as a callback on the event loop, so the account is
closed there and not in the caller's coroutine, which may be long gone.
"""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from penstock.execution import failures
from penstock.execution.admission import Slot
from penstock.execution.environment import End, EndKind, Environment
from penstock.execution.measures import FunctionMeasures
from penstock.execution.model import Invocation, Outcome, OutcomeKind
from penstock.registry.model import FunctionVersion


@dataclass(eq=False, slots=True)
class Flight:
    """One admitted invoke."""

    version: FunctionVersion
    invocation: Invocation
    slot: Slot
    measures: FunctionMeasures
    done: "asyncio.Future[Outcome]"
    init_ms: float | None = None
    """Set when this invoke paid for a cold start."""
    started_at: float = 0.0
    """Monotonic; when the time limit began to run."""
    running_on: Environment | None = None
    timer: asyncio.TimerHandle | None = None
    settled: bool = field(default=False)

    def meta(self, remaining_s: float) -> bytes:
        """What the environment is told of this invoke."""
        invocation = self.invocation
        told: dict[str, object] = {
            "request_id": invocation.request_id,
            "arn": invocation.invoked_arn,
            "remaining_ms": remaining_s * 1000,
        }
        if invocation.client_context:
            told["client_context"] = invocation.client_context
        if invocation.cognito_identity:
            told["identity"] = invocation.cognito_identity
        if invocation.trace_header:
            told["trace"] = invocation.trace_header
        return orjson.dumps(told)


class Verdict(NamedTuple):
    """What an end means for caller, log and metrics."""

    kind: OutcomeKind
    payload: bytes
    status: str | None = None
    error_type: str | None = None
    message: str | None = None
    """What the platform logs about it."""


def judge(end: End, request_id: str) -> Verdict:
    """The meaning of how an invoke ended."""
    if end.kind is EndKind.RESULT:
        return Verdict(OutcomeKind.SUCCEEDED, end.payload)
    if end.kind is EndKind.ERROR:
        return Verdict(OutcomeKind.HANDLER_ERROR, end.payload, None, end.error_type)
    kind = end.error_type or failures.EXITED
    body = failures.exited(request_id, end.reason, kind)
    return Verdict(OutcomeKind.CRASHED, body, "error", kind, end.reason)


def judge_init(end: End, request_id: str) -> Verdict:
    """The meaning of an init phase that failed for good."""
    if end.kind is EndKind.ERROR:
        return Verdict(OutcomeKind.INIT_FAILED, end.payload, "error", end.error_type)
    kind = end.error_type or failures.EXITED
    body = failures.exited(request_id, end.reason, kind)
    return Verdict(OutcomeKind.INIT_FAILED, body, "error", kind, end.reason)


def init_failure(end: End) -> str:
    """Why an init phase failed, in words for people: `Runtime.ImportModuleError: Unable to import …`."""
    if end.kind is not EndKind.ERROR:
        return f"{end.error_type or failures.EXITED}: {end.reason}"
    try:
        said = orjson.loads(end.payload)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        said = end.payload[:200].decode("utf-8", "replace")
    return f"{end.error_type}: {said}"


def judge_timeout(request_id: str, timeout_s: float) -> Verdict:
    """The meaning of a passed time limit."""
    body = failures.timed_out(request_id, timeout_s)
    words = failures.timeout_message(timeout_s)
    return Verdict(OutcomeKind.TIMED_OUT, body, "timeout", failures.TIMED_OUT, words)
