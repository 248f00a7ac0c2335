"""Scalars: what each kind takes, and how times and floats are written."""

import math

import pytest

from penstock.gateway.malformed import Malformed
from penstock.gateway.protocols.scalars import format_text, format_time, parse_text, plain_seconds, special_float

TIMES = [
    ("2024-05-01T12:00:00Z", 1714564800.0),
    ("2024-05-01T12:00:00.679Z", 1714564800.679),
    ("2024-05-01T12:00:00.123456Z", 1714564800.123456),
    ("2024-05-01T14:00:00+02:00", 1714564800.0),
    ("2024-05-01T14:00:00+0200", 1714564800.0),
    ("2024-05-01t12:00:00z", 1714564800.0),
    ("1969-12-31T23:59:59Z", -1.0),
    ("2016-12-31T23:59:60Z", 1483228800.0),
    ("Wed, 01 May 2024 12:00:00 GMT", 1714564800.0),
    ("1714564800", 1714564800.0),
    ("1714564800.5", 1714564800.5),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_times_are_read_in_every_form_an_sdk_uses(text: str, expected: float) -> None:
    assert parse_text(text, "timestamp", "iso8601") == expected


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024-02-31T00:00:00Z", "2024-05-01", "2024-05-01T25:00:00Z", "1e300", "Foo, bar", "NaN", "inf"],
)
def test_what_is_no_time_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_text(text, "timestamp", "iso8601")


@pytest.mark.parametrize(
    ("instant", "form", "expected"),
    [
        (1714564800.0, "iso8601", "2024-05-01T12:00:00Z"),
        (1714564800.6789, "iso8601", "2024-05-01T12:00:00.679Z"),
        (1714564799.9996, "iso8601", "2024-05-01T12:00:00Z"),
        (1714564800.4, "rfc822", "Wed, 01 May 2024 12:00:00 GMT"),
        (1714564800.25, "unixTimestamp", "1714564800.25"),
        (-62135596800.0, "iso8601", "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_as_the_model_says(instant: float, form: str, expected: str) -> None:
    assert format_time(instant, form) == expected


def test_seconds_are_whole_when_they_are() -> None:
    assert repr(plain_seconds(5.0)) == "5"
    assert repr(plain_seconds(5.00049)) == "5"
    assert repr(plain_seconds(5.125)) == "5.125"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("-7", "integer", -7),
        ("9223372036854775807", "long", 2**63 - 1),
        ("1e3", "double", 1000.0),
        ("-Infinity", "double", -math.inf),
        ("-inf", "double", -math.inf),
        ("True", "boolean", True),
        ("aGk=", "blob", b"hi"),
    ],
)
def test_text_is_read_by_kind(text: str, kind: str, expected: object) -> None:
    assert parse_text(text, kind, "iso8601") == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2147483648", "integer"),
        ("9223372036854775808", "long"),
        ("1_000", "integer"),
        ("٣", "integer"),
        ("1.5", "integer"),
        (" 1", "integer"),
        ("NAN", "double"),
        ("1_0.0", "double"),
        ("0x10", "double"),
        ("yes", "boolean"),
        ("a", "blob"),
    ],
)
def test_text_of_another_kind_is_malformed(text: str, kind: str) -> None:
    with pytest.raises(Malformed):
        parse_text(text, kind, "iso8601")


def test_floats_have_names_where_digits_fail() -> None:
    assert [special_float(x) for x in (math.nan, math.inf, -math.inf, 0.5)] == ["NaN", "Infinity", "-Infinity", 0.5]
    assert format_text(math.inf, "double", "") == "Infinity"
    assert format_text(True, "boolean", "") == "true"
