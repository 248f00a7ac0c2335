"""Patterns for JSON events: `{ $.level = "ERROR" && ($.latency > 100 || $.tags[0] = "x") }`. Pure."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from penstock.observe.logs.pattern_expression import ExpressionParser, Selector
from penstock.observe.logs.pattern_values import PatternError, Regexes

STEP = re.compile(
    r"""\.?\[(?:(?P<number>\d{1,9})|(?P<every>\*)|'(?P<quoted>[^']*)'|"(?P<double>[^"]*)")\]|\.(?P<name>[^\s.\[\]=!<>()&|"'%{}]+)"""
)


def compile_json(text: str) -> Callable[[str], bool]:
    """A matcher of JSON events; other events never match. `text` begins with a brace."""
    if not text.endswith("}"):
        raise PatternError("a JSON pattern ends with a closing brace")
    parser = ExpressionParser(text[1:-1], _selector, Regexes(), numbers_in_text=False)
    condition = parser.parse()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):  # most lines of a function are not JSON; failing costs more
            return False
        try:
            event = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return isinstance(event, (dict, list)) and condition(event)

    return matches


def _selector(text: str, place: int) -> tuple[Selector, int]:
    if not text.startswith("$", place):
        raise PatternError(f"expected a selector such as $.level at {text[place : place + 40]!r}")
    place += 1
    steps: list[str | int | None] = []
    while found := STEP.match(text, place):
        if found["number"] is not None:
            steps.append(int(found["number"]))
        else:
            name = next((found[group] for group in ("quoted", "double", "name") if found[group] is not None), None)
            steps.append(name)
        place = found.end()
    if not steps:
        raise PatternError("a selector names a property: $.level")
    return (lambda event: _select(event, steps)), place


def _select(event: Any, steps: list[str | int | None]) -> list[Any]:
    found = [event]
    for step in steps:
        found = [inner for value in found for inner in _into(value, step)]
    return found


def _into(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if step is None:  # [*]: every element
        return value
    return [value[step]] if step < len(value) else []
