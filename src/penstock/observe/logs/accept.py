"""Which events of a PutLogEvents call are taken. Pure; the limits are those of
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html.

Rule: a malformed batch is refused whole; events outside the window are left out and the reply says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from penstock.observe.logs.chunks import OVERHEAD
from penstock.observe.logs.model import DAY_MS
from penstock.observe.logs.refusals import invalid

BATCH_BYTES = 1_048_576
BATCH_EVENTS = 10_000
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events to store, and AWS's indexes of what is left out (None when nothing is)."""

    events: Sequence[tuple[int, str]]
    too_new_from: int | None = None
    too_old_until: int | None = None
    expired_until: int | None = None


def accept(events: Sequence[tuple[int, str]], now_ms: int, retention_days: int | None) -> Accepted:
    """Decide on `(at_ms, message)` pairs in the order given."""
    _check_batch(events)
    times = [at_ms for at_ms, _ in events]
    too_old = sum(at_ms < now_ms - OLDEST_MS for at_ms in times)
    expired = sum(at_ms < now_ms - retention_days * DAY_MS for at_ms in times) if retention_days else 0
    new_from = next((index for index, at_ms in enumerate(times) if at_ms > now_ms + NEWEST_MS), len(times))
    taken = events[max(too_old, expired) : new_from]
    if taken and taken[-1][0] - taken[0][0] > DAY_MS:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    return Accepted(
        taken,
        new_from if new_from < len(times) else None,
        too_old or None,
        expired or None,
    )


def _check_batch(events: Sequence[tuple[int, str]]) -> None:
    if len(events) > BATCH_EVENTS:
        raise invalid(f"A batch holds at most {BATCH_EVENTS} log events, this one has {len(events)}.")
    size = sum(len(message.encode("utf-8", "replace")) + OVERHEAD for _, message in events)
    if size > BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")
    if any(earlier[0] > later[0] for earlier, later in pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
