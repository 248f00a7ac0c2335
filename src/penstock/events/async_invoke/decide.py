"""What becomes of an event after a delivery. Rule: pure; the worker only carries it out.

Function errors are retried twice, one and two minutes later; throttles and our own failures are retried with growing
pauses (1 s doubling to 5 min) until the event is too old. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from dataclasses import dataclass

from penstock.events.model import AsyncEvent, RetryPolicy
from penstock.execution.model import Outcome, OutcomeKind

RETRY_AFTER_S = (60.0, 120.0)
LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The function handled it: forget the event."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Deliver again at `next_at`."""

    next_at: float
    attempts: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No more attempts; `condition` is AWS's word for it."""

    condition: str
    attempts: int


Decision = Delivered | Retry | Exhausted


def decide(event: AsyncEvent, outcome: Outcome, policy: RetryPolicy, now: float) -> Decision:
    """The next step for `event` after one delivery ended in `outcome` at `now`."""
    if outcome.kind is OutcomeKind.SUCCEEDED:
        return Delivered()
    if outcome.kind in (OutcomeKind.THROTTLED, OutcomeKind.PLATFORM_ERROR):
        pause = min(LONGEST_PAUSE_S, 2.0**event.refusals)
        return _retry_unless_too_old(event, policy, now + pause, event.attempts, event.refusals + 1)
    attempts = event.attempts + 1
    if attempts > policy.max_retries:
        return Exhausted("RetriesExhausted", attempts)
    return _retry_unless_too_old(event, policy, now + RETRY_AFTER_S[attempts - 1], attempts, 0)


def _retry_unless_too_old(
    event: AsyncEvent, policy: RetryPolicy, next_at: float, attempts: int, refusals: int
) -> Decision:
    if next_at - event.accepted_at > policy.max_age_s:
        return Exhausted("EventAgeExceeded", attempts)
    return Retry(next_at, attempts, refusals)
