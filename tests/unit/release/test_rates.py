"""Which minutes count for a stretch of time around a change."""

import pytest

from penstock.release.rates import whole_minutes


@pytest.mark.parametrize(
    ("name", "start", "end", "now", "expected"),
    [
        ("before a change: its own minute is left out", 90, 390, 1000, (120, 360)),
        ("after a change, up to now: the running minute counts", 390, 690, 690, (420, 720)),
        ("after a change of this minute: better than nothing", 390, 400, 400, (360, 420)),
        ("whole minutes stay as they are", 60, 360, 1000, (60, 360)),
        ("up to a minute's exact end", 60, 360, 360, (60, 360)),
    ],
)
def test_whole_minutes(name, start, end, now, expected) -> None:
    assert whole_minutes(start, end, now) == expected
