"""Conditions joined by `&&`, `||` and parentheses: the part that JSON and space-delimited patterns share. Pure.

Rule: `&&` binds tighter than `||`. What stands on a condition's left differs, so the caller brings the reader for it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from penstock.observe.logs.pattern_values import PatternError, Regexes, Word, comparison

Selector = Callable[[Any], Sequence[Any]]
"""The values that a condition's left side names in an event; none when it is not there."""
Condition = Callable[[Any], bool]
DEPTH = 50
SIGN = re.compile(r"!=|<=|>=|=|<|>")
STATE = re.compile(r"(IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS)(?![A-Za-z0-9_])")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
REGEX = re.compile(r"%([^%]*)%")
BARE = re.compile(r'(?:(?!&&|\|\|)[^\s()"%<>=!{}\[\]])+')
STATES: dict[str, Callable[[Sequence[Any]], bool]] = {
    "IS NULL": lambda values: any(value is None for value in values),
    "IS TRUE": lambda values: any(value is True for value in values),
    "IS FALSE": lambda values: any(value is False for value in values),
    "NOT EXISTS": lambda values: not values,
}


class ExpressionParser:
    """Reads one expression from the start of `text` to its end."""

    def __init__(
        self,
        text: str,
        selector: Callable[[str, int], tuple[Selector, int]],
        regexes: Regexes,
        *,
        numbers_in_text: bool,
    ):
        """`selector(text, place)` reads a left side and gives where it ends, or raises `PatternError`."""
        self._text = text
        self._place = 0
        self._selector = selector
        self._regexes = regexes
        self._numbers_in_text = numbers_in_text

    def parse(self) -> Condition:
        """The whole text as one condition."""
        condition = self._any(0)
        if self._rest():
            raise PatternError(f"cannot read {self._rest()[:40]!r}")
        return condition

    def _any(self, depth: int) -> Condition:
        if depth > DEPTH:
            raise PatternError(f"parentheses are nested more than {DEPTH} deep")
        parts = [self._all(depth)]
        while self._skip("||"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else lambda event: any(part(event) for part in parts)

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._skip("&&"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda event: all(part(event) for part in parts)

    def _one(self, depth: int) -> Condition:
        if self._skip("("):
            condition = self._any(depth + 1)
            if not self._skip(")"):
                raise PatternError("a parenthesis is not closed")
            return condition
        self._rest()
        selector, self._place = self._selector(self._text, self._place)
        state = self._match(STATE)
        if state:
            holds = STATES[" ".join(state[1].split())]
            return lambda event: holds(selector(event))
        sign = self._match(SIGN)
        if not sign:
            raise PatternError(f"expected a comparison at {self._rest()[:40]!r}")
        test = comparison(sign[0], self._word(), numbers_in_text=self._numbers_in_text)
        return lambda event: any(test(value) for value in selector(event))

    def _word(self) -> Word:
        if found := self._match(QUOTED):
            return Word(re.sub(r"\\(.)", r"\1", found[1]), quoted=True)
        if found := self._match(REGEX):
            return Word(found[1], regex=self._regexes.compile(found[1]))
        if found := self._match(BARE):
            return Word(found[0])
        raise PatternError(
            f"expected a value at {self._rest()[:40]!r}; text with special characters needs quotation marks"
        )

    def _rest(self) -> str:
        while self._place < len(self._text) and self._text[self._place].isspace():
            self._place += 1
        return self._text[self._place :]

    def _skip(self, token: str) -> bool:
        if not self._rest().startswith(token):
            return False
        self._place += len(token)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._rest()
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found
