"""Java's regular expressions, as the models have them, in Python."""

import pytest
from botocore.loaders import Loader

from penstock.gateway.patterns import Pattern

ROWS = [
    ("the whole value must fit", "[a-z]+", "abc", "abc1"),
    ("no newline slips behind the end", "^[a-z]+$", "abc", "abc\n"),
    ("digits are ASCII", r"\d{3}", "123", "൬௦෦"),
    ("words are ASCII", r"\w+", "a_1", "é"),
    ("letters of any language", r"[\p{L}]+", "aéж漢", "a1"),
    ("a category of two letters", r"[\p{Zs}]+", " \u00a0", "\n"),
    ("an astral letter", r"[\p{L}]+", "\U00010400", "1"),
    ("a dash after a class", r"[\w-_]*", "a-b", "a.b"),
    ("a dash at the end of a class", r"[a-zA-Z0-9-_]+", "a-b_c", "a b"),
    ("a look-ahead", r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "v1", "12"),
    ("a look-behind", r"[a-z.]*(?<!\.)", "a.b", "a."),
    ("nothing or something", r"(|[a-zA-Z0-9$_-]+)", "", "a b"),
    ("control characters", "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", "a\t\n", "\x00"),
]


@pytest.mark.parametrize(("pattern", "good", "bad"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_pattern_means_what_java_means(pattern: str, good: str, bad: str) -> None:
    compiled = Pattern(pattern)
    assert compiled.compiled is not None
    assert compiled.matches(good)
    assert not compiled.matches(bad)


def test_a_pattern_nobody_understands_refuses_nothing() -> None:
    assert Pattern("(?<name>[").matches("anything")


@pytest.mark.parametrize("service", ["lambda", "cloudwatch", "logs", "codedeploy", "sts"])
def test_every_pattern_of_the_services_served_is_understood(service: str) -> None:
    shapes = Loader().load_service_model(service, "service-2")["shapes"]
    patterns = {shape["pattern"] for shape in shapes.values() if "pattern" in shape}
    assert [pattern for pattern in patterns if Pattern(pattern).compiled is None] == []
