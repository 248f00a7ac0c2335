"""Times in people's words."""

import pytest

from penstock.cli.moments import ago, local, long_span, parse_duration, span

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("60m", 3600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), (" 5M ", 300), ("0s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "m", "1.5h", "-1m", "1h 5m", "1y", "٣m1"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (0, "now"),
        (0.9, "now"),
        (-0.9, "now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 d ago"),
        (-120, "in 2 min"),
    ],
)
def test_ago(passed: float, words: str) -> None:
    assert ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (0, "0 s", "0 s"),
        (0.25, "250 ms", "250 ms"),
        (45, "45 s", "45 s"),
        (75, "1 min", "1 min 15 s"),
        (3600, "1 h", "1 h"),
        (11_520, "3 h", "3 h 12 min"),
        (90_000, "1 d", "1 d 1 h"),
    ],
)
def test_spans(seconds: float, short: str, long: str) -> None:
    assert (span(seconds), long_span(seconds)) == (short, long)


def test_another_day_shows_its_date(utc: None) -> None:
    assert local(NOW - 60, NOW) == "07:59:00"
    assert local(NOW - 86_400, NOW) == "14 Jan 08:00"
    assert local(NOW - 20 * 86_400, NOW) == "26 Dec 2026 08:00"
