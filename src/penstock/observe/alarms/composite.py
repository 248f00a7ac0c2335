"""Composite alarm rules: `ALARM(a) AND NOT (OK("b") OR TRUE)`. Rule: read once, computed from a snapshot of states.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penstock.core.arns import parse_arn
from penstock.core.context import Scope
from penstock.observe.alarms.model import AlarmState

MAX_DEPTH = 50
MAX_ELEMENTS = 500
MAX_CHILDREN = 100
_WORD = re.compile(r"\s*([A-Za-z_]+|[()])")
_ARGUMENT = re.compile(r'\s*\(\s*(?:"((?:[^"\\]|\\.)*)"|([^()"]+?))\s*\)')


class RuleError(ValueError):
    """The rule cannot be understood; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class StateIs:
    """`ALARM(name)`."""

    state: AlarmState
    alarm: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    """AND."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """OR."""

    of: tuple["Condition", ...]


Condition = Constant | StateIs | Not | All | AnyOf


def parse_rule(text: str, scope: Scope) -> Condition:
    """The condition of a rule. Raises `RuleError`."""
    reader = _Reader(text, scope)
    condition = reader.any_of()
    reader.expect_end()
    children = set(alarms_in(condition))
    if len(children) > MAX_CHILDREN:
        raise RuleError(f"it names {len(children)} alarms, more than {MAX_CHILDREN}")
    return condition


def alarms_in(condition: Condition) -> Iterator[str]:
    """The names of the alarms a condition looks at."""
    match condition:
        case StateIs():
            yield condition.alarm
        case Not():
            yield from alarms_in(condition.of)
        case All() | AnyOf():
            for part in condition.of:
                yield from alarms_in(part)


def is_true(condition: Condition, states: Mapping[str, AlarmState]) -> bool:
    """The condition's value; an alarm without a known state is in none."""
    match condition:
        case Constant():
            return condition.value
        case StateIs():
            return states.get(condition.alarm) is condition.state
        case Not():
            return not is_true(condition.of, states)
        case All():
            return all(is_true(part, states) for part in condition.of)
        case AnyOf():
            return any(is_true(part, states) for part in condition.of)


def alarm_name(text: str, scope: Scope) -> str:
    """The name behind a name or an ARN. Raises `RuleError` for an alarm elsewhere."""
    if not text.startswith("arn:"):
        return text
    arn = parse_arn(text)
    if arn is None or arn.service != "cloudwatch" or not arn.resource.startswith("alarm:"):
        raise RuleError(f"{text} is not the ARN of an alarm")
    if arn.scope != scope:
        raise RuleError(f"{text} is in another account or region")
    return arn.resource.removeprefix("alarm:")


class _Reader:
    def __init__(self, text: str, scope: Scope):
        self._text = text
        self._scope = scope
        self._at = 0
        self._depth = 0
        self._elements = 0

    def any_of(self) -> Condition:
        parts = [self._all()]
        while self._take("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def expect_end(self) -> None:
        rest = self._text[self._at :].strip()
        if rest:
            raise RuleError(f"unexpected {rest[:20]!r} at position {self._position()}")

    def _all(self) -> Condition:
        parts = [self._not()]
        while self._take("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _not(self) -> Condition:
        negated = False
        while self._take("NOT"):
            negated = not negated
        element = self._element()
        return Not(element) if negated else element

    def _element(self) -> Condition:
        position = self._position()
        found = _WORD.match(self._text, self._at)
        if not found:
            what = self._text[self._at :].strip()[:20]
            raise RuleError(f"unexpected {what!r} at position {position}" if what else "it ends too early")
        self._at = found.end()
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise RuleError(f"it has more than {MAX_ELEMENTS} elements")
        word = found[1].upper()
        if word == "(":
            return self._brackets(position)
        if word in ("TRUE", "FALSE"):
            return Constant(word == "TRUE")
        if word in AlarmState.__members__:
            return StateIs(AlarmState(word), self._argument(word))
        raise RuleError(f"unexpected {found[1]!r} at position {position}")

    def _brackets(self, position: int) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RuleError(f"brackets nest deeper than {MAX_DEPTH} levels at position {position}")
        inner = self.any_of()
        if not self._take(")"):
            raise RuleError(f"expected ')' for the '(' of position {position} at position {self._position()}")
        self._depth -= 1
        return inner

    def _argument(self, function: str) -> str:
        found = _ARGUMENT.match(self._text, self._at)
        if not found:
            raise RuleError(f"{function} takes one alarm name or ARN in brackets, at position {self._position()}")
        self._at = found.end()
        quoted = found[1]
        return alarm_name(found[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted), self._scope)

    def _take(self, word: str) -> bool:
        found = _WORD.match(self._text, self._at)
        if not found or found[1].upper() != word:
            return False
        self._at = found.end()
        return True

    def _position(self) -> int:
        rest = self._text[self._at :]
        return self._at + len(rest) - len(rest.lstrip()) + 1
