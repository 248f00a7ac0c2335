"""PutLogEvents' limits: a malformed batch is refused whole, events outside the window are named."""

import pytest

from penstock.core.errors import ApiError
from penstock.observe.logs.accept import BATCH_BYTES, NEWEST_MS, OLDEST_MS, accept
from penstock.observe.logs.model import DAY_MS

NOW = 1_800_000_000_000

REFUSED = {
    "too many": ([(NOW, "x")] * 10_001, "at most 10000"),
    "too large": ([(NOW, "x" * (BATCH_BYTES - 25))], "Upload too large"),
    "too large in UTF-8": ([(NOW, "é" * (BATCH_BYTES // 2))], "Upload too large"),
    "not in order": ([(NOW, "x"), (NOW - 1, "x")], "chronological order"),
    "more than a day": ([(NOW - DAY_MS - 1, "x"), (NOW, "x")], "24 hours"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_batches(name: str) -> None:
    events, said = REFUSED[name]
    with pytest.raises(ApiError, match=said) as error:
        accept(events, NOW, None)
    assert error.value.code == "InvalidParameterException"


OLD, NEW = NOW - OLDEST_MS - 1, NOW + NEWEST_MS + 1
PARTLY = {
    # events' times, retention: taken, too new from, too old until, expired until
    "all": ([NOW, NOW], None, 2, None, None, None),
    "exactly at the ends": ([NOW - OLDEST_MS], None, 1, None, None, None),
    "the newest": ([NOW + NEWEST_MS], None, 1, None, None, None),
    "too old": ([OLD, OLD, NOW], None, 1, None, 2, None),
    "too new": ([NOW, NEW], None, 1, 1, None, None),
    "both ends": ([OLD, NOW, NEW], None, 1, 2, 1, None),
    "none left": ([OLD, NEW], None, 0, 1, 1, None),
    "expired": ([NOW - 2 * DAY_MS, NOW], 1, 1, None, None, 1),
    "expired and too old": ([OLD, NOW - 2 * DAY_MS, NOW], 1, 1, None, 1, 2),
}


@pytest.mark.parametrize("name", PARTLY)
def test_events_outside_the_window_are_named(name: str) -> None:
    times, retention, *expected = PARTLY[name]
    got = accept([(at_ms, "x") for at_ms in times], NOW, retention)
    assert [len(got.events), got.too_new_from, got.too_old_until, got.expired_until] == expected


def test_a_batch_of_exactly_the_limit_is_taken() -> None:
    assert accept([(NOW, "x" * (BATCH_BYTES - 26))], NOW, None).events
