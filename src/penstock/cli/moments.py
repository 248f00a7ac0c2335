"""Instants and durations in people's words: `03:08:20`, `4 min ago`, `60m`. Pure.

Rule: a time is shown both absolute, in the machine's own zone, and relative to the server's business time.
"""

import re
from datetime import datetime

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
DURATION = re.compile(r"(?:\d+[smhdw])+")
PART = re.compile(r"(\d+)([smhdw])")


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `60m`, `1h30m`, `2d`, `1w`. Raises `ValueError`."""
    if not DURATION.fullmatch(text.strip().lower()):
        raise ValueError(f"{text!r} is not a duration. Write a number and a unit: 90s, 60m, 1h30m, 2d.")
    return float(sum(int(count) * UNITS[unit] for count, unit in PART.findall(text.lower())))


def local(instant: float, now: float) -> str:
    """Local time of day, `03:08:20`; with the date when it is not the day of `now`, `14 Jan 03:08`."""
    moment, today = datetime.fromtimestamp(instant).astimezone(), datetime.fromtimestamp(now).astimezone()
    if moment.date() == today.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%d %b %H:%M}" if moment.year == today.year else f"{moment:%d %b %Y %H:%M}"


def ago(instant: float, now: float) -> str:
    """`4 min ago`, or `in 4 min` for what is still to come."""
    passed = now - instant
    if abs(passed) < 1:
        return "now"
    return f"{span(passed)} ago" if passed > 0 else f"in {span(-passed)}"


def span(seconds: float) -> str:
    """A duration with its largest unit: `45 s`, `4 min`, `3 h`, `2 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:.0f} ms"


def long_span(seconds: float) -> str:
    """A duration with its two largest units: `3 h 12 min`."""
    major = span(seconds)
    for size, lower, unit in ((86_400, 3600, "h"), (3600, 60, "min"), (60, 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // lower)
            return f"{major} {rest} {unit}" if rest else major
    return major
