"""Patterns for space-delimited events: `[ip, user, ..., status = 4*, bytes > 1000]`. Pure.

An event's fields are its words; what stands in brackets or quotation marks is one field. `...` stands for any number
of fields. A last field without a condition takes all the rest, as AWS's `[w1=ERROR, w2]` example needs it.
"""

import re
from collections.abc import Callable, Sequence

from penstock.observe.logs.pattern_expression import Condition, ExpressionParser, Selector
from penstock.observe.logs.pattern_values import PatternError, Regexes

FIELD = re.compile(r'"(?P<quoted>[^"]*)"|\[(?P<bracketed>[^\]]*)\]|(?P<word>\S+)')
PART = re.compile(r'(?:[^,"%]|"(?:[^"\\]|\\.)*"|%[^%]*%)*')
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
ANY = "..."


def compile_fields(text: str) -> Callable[[str], bool]:
    """A matcher of space-delimited events. `text` begins with a bracket."""
    if not text.endswith("]"):
        raise PatternError("a space-delimited pattern ends with a closing bracket")
    parts = _split(text[1:-1])
    if parts.count(ANY) > 1:
        raise PatternError("a pattern may hold one ellipsis (...)")
    regexes = Regexes()
    gap = parts.index(ANY) if ANY in parts else None
    conditions = [_condition(part, regexes) for part in parts if part != ANY]
    open_end = gap is None and conditions[-1] is None

    def matches(message: str) -> bool:
        fields = [found[found.lastgroup or 0] for found in FIELD.finditer(message)]
        spare = len(fields) - len(conditions)
        if spare < 0 or (spare and gap is None and not open_end):
            return False
        if gap is not None:
            del fields[gap : gap + spare]
        return all(condition is None or condition(field) for condition, field in zip(conditions, fields, strict=False))

    return matches


def _split(text: str) -> list[str]:
    parts, place = [], 0
    while True:
        found = PART.match(text, place)
        end = found.end() if found else place
        if end < len(text) and text[end] != ",":
            raise PatternError(f"cannot read {text[end : end + 40]!r}: is a quotation mark missing?")
        parts.append(text[place:end].strip())
        if not parts[-1]:
            raise PatternError("a field has no name; write [first, second, ...]")
        if end >= len(text):
            return parts
        place = end + 1


def _condition(part: str, regexes: Regexes) -> Condition | None:
    named = NAME.search(part)
    if NAME.fullmatch(part):
        return None
    if not named:
        raise PatternError(f"{part[:40]!r} is not a field: write a name, or a name and a condition")
    name = named[0]

    def selector(text: str, place: int) -> tuple[Selector, int]:
        found = NAME.match(text, place)
        if not found or found[0] != name:
            raise PatternError(f"expected the field {name} at {text[place : place + 40]!r}")
        return _itself, found.end()

    return ExpressionParser(part, selector, regexes, numbers_in_text=True).parse()


def _itself(field: str) -> Sequence[str]:
    return (field,)
