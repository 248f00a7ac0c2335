"""What metric math computes with: scalars, time series, arrays of time series. Rule: a missing point is absent.

Between time series a missing point counts as 0 at every instant the other one has; dividing by 0 drops the point.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from penstock.observe.metrics.expressions.syntax import ExpressionError
from penstock.observe.metrics.windows import period_count, rounded_start

Points = Mapping[float, float]


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Points in rising order of time. `label` is empty for what an expression made."""

    points: Points
    period_s: int
    label: str = ""
    is_metric: bool = False
    """Whether it comes straight from a metric: PERIOD takes nothing else."""

    def with_points(self, points: Points) -> "TimeSeries":
        """A derived series."""
        kept = {at: points[at] for at in sorted(points) if math.isfinite(points[at])}
        return replace(self, points=kept, is_metric=False)

    def mapped(self, change: Callable[[float], float | None]) -> "TimeSeries":
        """Each point changed; None drops it."""
        changed = ((at, change(value)) for at, value in self.points.items())
        return self.with_points({at: value for at, value in changed if is_number(value)})  # type: ignore[misc]


Array = tuple[TimeSeries, ...]
Value = float | TimeSeries | Array


@dataclass(frozen=True, slots=True)
class Grid:
    """The time range of the request: where FILL and TIME_SERIES put points."""

    start: float
    end: float
    now: float
    period_s: int = 60
    """The period of series that have none of their own."""

    def instants(self, period_s: int) -> list[float]:
        """The beginnings of all periods, where a metric of that period has its points."""
        start = rounded_start(self.start, period_s, self.now)
        return [start + step * period_s for step in range(period_count(start, self.end, period_s))]


def is_number(value: float | None) -> bool:
    """Whether there is a value that can be shown: infinities and NaN are dropped like a division by zero."""
    return value is not None and math.isfinite(value)


def _divided(left: float, right: float) -> float | None:
    return left / right if right else None


def _powered(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return None if isinstance(result, complex) else float(result)


OPERATIONS: Mapping[str, Callable[[float, float], float | None]] = MappingProxyType(
    {
        "+": lambda left, right: left + right,
        "-": lambda left, right: left - right,
        "*": lambda left, right: left * right,
        "/": _divided,
        "^": _powered,
        "==": lambda left, right: float(left == right),
        "!=": lambda left, right: float(left != right),
        "<": lambda left, right: float(left < right),
        ">": lambda left, right: float(left > right),
        "<=": lambda left, right: float(left <= right),
        ">=": lambda left, right: float(left >= right),
        "AND": lambda left, right: float(bool(left) and bool(right)),
        "OR": lambda left, right: float(bool(left) or bool(right)),
    }
)


def combine(operator: str, left: Value, right: Value, position: int) -> Value:
    """Apply a binary operator to any two values. Raises `ExpressionError`."""
    operation = OPERATIONS[operator]
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _combine_arrays(operator, left, right, position)
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        instants = left.points.keys() | right.points.keys()
        pairs = {at: operation(left.points.get(at, 0.0), right.points.get(at, 0.0)) for at in instants}
        return _made(left, max(left.period_s, right.period_s), pairs)
    if isinstance(left, TimeSeries):
        scalar = _scalar(right)
        return _made(left, left.period_s, {at: operation(value, scalar) for at, value in left.points.items()})
    if isinstance(right, TimeSeries):
        scalar = _scalar(left)
        return _made(right, right.period_s, {at: operation(scalar, value) for at, value in right.points.items()})
    result = operation(left, right)
    return math.nan if result is None else result  # it drops every point it meets, as a division by zero does


def _combine_arrays(operator: str, left: Value, right: Value, position: int) -> Array:
    """An array combines with every kind, item by item; two arrays must be equally long."""
    lefts = left if isinstance(left, tuple) else (left,) * len(right if isinstance(right, tuple) else ())
    rights = right if isinstance(right, tuple) else (right,) * len(lefts)
    if len(lefts) != len(rights):
        raise ExpressionError(f"{operator!r} between arrays of {len(lefts)} and {len(rights)} time series", position)
    results = [combine(operator, one, other, position) for one, other in zip(lefts, rights, strict=True)]
    return tuple(result for result in results if isinstance(result, TimeSeries))


def _scalar(value: Value) -> float:
    if isinstance(value, float | int):
        return float(value)
    raise ExpressionError("a single number is needed here")


def _made(like: TimeSeries, period_s: int, points: Mapping[float, float | None]) -> TimeSeries:
    kept = {at: value for at, value in points.items() if value is not None and is_number(value)}
    return replace(like.with_points(kept), period_s=period_s)
