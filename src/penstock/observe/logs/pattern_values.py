"""Comparing one value with one word of a pattern: text with `*`, numbers, regular expressions. Pure.

Rule: matching takes time in proportion to the text; regular expressions, which cannot promise that, are held to AWS's
small dialect (no groups) and to a length.
"""

import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
REGEX_CHARACTERS = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]*\Z")
REGEX_LIMIT = 2
REPEAT_LIMIT = 8
SEARCHED = 32 * 1024
"""Characters of a message that a regular expression is tried on."""
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PatternError(ValueError):
    """The pattern is malformed; the message says how, for the caller."""


class Regexes:
    """Compiles a pattern's regular expressions and counts them: AWS takes two in a pattern."""

    def __init__(self) -> None:
        """None so far."""
        self._count = 0

    def compile(self, body: str) -> re.Pattern[str]:
        """The expression between two percent signs. Raises `PatternError` outside AWS's dialect."""
        self._count += 1
        if self._count > REGEX_LIMIT:
            raise PatternError(f"a pattern may hold {REGEX_LIMIT} regular expressions")
        if not body or not REGEX_CHARACTERS.match(body):
            raise PatternError(f"%{body}% is empty or has a character that is not supported in regular expressions")
        if len(re.findall(r"(?<!\\)[*+]|,\}", body)) > REPEAT_LIMIT:
            raise PatternError(f"%{body}% repeats in more than {REPEAT_LIMIT} places")
        # A search finds the same with or without them, and much faster without.
        body = re.sub(r"^(?:\.\*)+", "", body)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)
                return re.compile(body, re.ASCII)
        except (re.error, FutureWarning, OverflowError, RecursionError) as error:
            raise PatternError(f"%{body}% is not a regular expression: {error}") from error


def searched(regex: re.Pattern[str]) -> Callable[[str], bool]:
    """Whether the expression is found in a text."""
    return lambda text: regex.search(text, 0, SEARCHED) is not None


@dataclass(frozen=True, slots=True)
class Word:
    """The right side of a comparison, as written."""

    text: str
    quoted: bool = False
    regex: re.Pattern[str] | None = None


def comparison(sign: str, word: Word, *, numbers_in_text: bool) -> Callable[[Any], bool]:
    """A test of one value, which is what JSON can hold. `numbers_in_text`: does the text "42" count as a number?"""
    if sign in ORDER:
        if word.quoted or word.regex or not NUMBER.match(word.text):
            raise PatternError(f"{sign} compares numbers, and {word.text!r} is not one")
        return _ordered(ORDER[sign], float(word.text), numbers_in_text=numbers_in_text)
    equal = _equal(word, numbers_in_text=numbers_in_text)
    return (lambda value: not equal(value)) if sign == "!=" else equal


def _ordered(compare: Callable[[float, float], bool], bound: float, *, numbers_in_text: bool) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        number = _number(value, numbers_in_text=numbers_in_text)
        return number is not None and compare(number, bound)

    return test


def _equal(word: Word, *, numbers_in_text: bool) -> Callable[[Any], bool]:
    if word.regex is not None:
        found = searched(word.regex)
        return lambda value: (text := _text(value)) is not None and found(text)
    if word.text == "*":
        return lambda value: value is not None
    like = _like(word.text)
    bound = float(word.text) if not word.quoted and NUMBER.match(word.text) else None

    def test(value: Any) -> bool:
        if bound is not None:
            number = _number(value, numbers_in_text=numbers_in_text)
            if number is not None:
                return number == bound
        text = _text(value)
        return text is not None and like(text)

    return test


def _like(pattern: str) -> Callable[[str], bool]:
    """Text with `*` for anything. Searched part by part: a regular expression could take exponential time."""
    if "*" not in pattern:
        return lambda text: text == pattern
    head, *middle, tail = pattern.split("*")

    def test(text: str) -> bool:
        if len(text) < len(head) + len(tail) or not (text.startswith(head) and text.endswith(tail)):
            return False
        place, end = len(head), len(text) - len(tail)
        for part in middle:
            place = text.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return True

    return test


def _number(value: Any, *, numbers_in_text: bool) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    return float(value) if numbers_in_text and isinstance(value, str) and NUMBER.match(value) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else None
