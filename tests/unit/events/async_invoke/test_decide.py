"""What becomes of an event after a delivery, as AWS documents its retries."""

import pytest

from penstock.core.context import Scope
from penstock.events.async_invoke.decide import Delivered, Exhausted, Retry, decide
from penstock.events.model import AsyncEvent, RetryPolicy
from penstock.execution.model import Outcome, OutcomeKind

ACCEPTED_AT = 1000.0
HOUR = 3600.0


def event(attempts: int = 0, refusals: int = 0) -> AsyncEvent:
    scope = Scope("000000000000", "us-east-1")
    return AsyncEvent("id", scope, "f", None, b"{}", "arn", ACCEPTED_AT, ACCEPTED_AT, attempts, refusals)


@pytest.mark.parametrize(
    ("name", "attempts", "refusals", "kind", "now", "expected"),
    [
        ("success", 0, 0, OutcomeKind.SUCCEEDED, 1001, Delivered()),
        ("first error: again after a minute", 0, 0, OutcomeKind.HANDLER_ERROR, 1001, Retry(1061, 1, 0)),
        ("second error: again after two", 1, 0, OutcomeKind.TIMED_OUT, 1061, Retry(1181, 2, 0)),
        ("third error: exhausted", 2, 0, OutcomeKind.CRASHED, 1181, Exhausted("RetriesExhausted", 3)),
        ("init failure counts as an error", 2, 0, OutcomeKind.INIT_FAILED, 1181, Exhausted("RetriesExhausted", 3)),
        ("throttled: not an attempt", 1, 0, OutcomeKind.THROTTLED, 1001, Retry(1002, 1, 1)),
        ("throttled again: a longer pause", 0, 3, OutcomeKind.THROTTLED, 1001, Retry(1009, 0, 4)),
        ("the pause has a ceiling", 0, 30, OutcomeKind.PLATFORM_ERROR, 1001, Retry(1301, 0, 31)),
        ("an error ends a row of throttles", 0, 5, OutcomeKind.HANDLER_ERROR, 1001, Retry(1061, 1, 0)),
        (
            "too old for another throttle",
            0,
            9,
            OutcomeKind.THROTTLED,
            ACCEPTED_AT + 6 * HOUR,
            Exhausted("EventAgeExceeded", 0),
        ),
        (
            "too old for another attempt",
            0,
            0,
            OutcomeKind.HANDLER_ERROR,
            ACCEPTED_AT + 6 * HOUR - 30,
            Exhausted("EventAgeExceeded", 1),
        ),
    ],
)
def test_decide(name, attempts, refusals, kind, now, expected) -> None:
    assert decide(event(attempts, refusals), Outcome(kind, b"", "1"), RetryPolicy(), now) == expected
