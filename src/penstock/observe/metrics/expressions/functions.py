"""The functions of metric math. Rule: pure; what a function takes and gives is AWS's table.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax
"""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from penstock.observe.metrics.expressions.choose import choose, fill
from penstock.observe.metrics.expressions.syntax import ExpressionError
from penstock.observe.metrics.expressions.values import Array, Grid, TimeSeries, Value


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word such as REPEAT or DESC."""

    text: str


Argument = Value | Word
Compute = Callable[[Grid, Sequence[Argument]], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments, and what comes of them."""

    least: int
    most: int
    compute: Compute


def _each(change: Callable[[float], float | None]) -> Function:
    """Point by point."""
    return _per_series(lambda series: series.mapped(change))


def _per_series(change: Callable[[TimeSeries], TimeSeries]) -> Function:
    """A time series gives a time series, an array gives an array."""

    def compute(_: Grid, arguments: Sequence[Argument]) -> Value:
        value = arguments[0]
        if isinstance(value, TimeSeries):
            return change(value)
        return tuple(change(series) for series in _array(value))

    return Function(1, 1, compute)


def _summary(of: Callable[[Sequence[float]], float], *, missing_is_zero: bool = False) -> Function:
    """A time series gives a number; an array gives a time series, instant by instant."""

    def compute(_: Grid, arguments: Sequence[Argument]) -> Value:
        value = arguments[0]
        if isinstance(value, TimeSeries):
            return float(of(list(value.points.values())))
        return _across(_array(value), of, missing_is_zero=missing_is_zero)

    return Function(1, 1, compute)


def _across(array: Array, of: Callable[[Sequence[float]], float], *, missing_is_zero: bool) -> TimeSeries:
    columns: dict[float, list[float]] = {}
    for series in array:
        for at, value in series.points.items():
            columns.setdefault(at, []).append(value)
    padded = {
        at: column + [0.0] * (len(array) - len(column)) if missing_is_zero else column for at, column in columns.items()
    }
    period = max((series.period_s for series in array), default=60)
    return TimeSeries({at: float(of(padded[at])) for at in sorted(padded)}, period)


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _steps(of: Callable[[float, float, float], float]) -> Function:
    """From each point and the one before it: difference in value, in seconds, or both. The first point is dropped."""

    def change(series: TimeSeries) -> TimeSeries:
        points = list(series.points.items())
        pairs = itertools.pairwise(points)
        return series.with_points({at: of(value - before, at - was, value) for (was, before), (at, value) in pairs})

    return _per_series(change)


def _running_sum(series: TimeSeries) -> TimeSeries:
    total, points = 0.0, {}
    for at, value in series.points.items():
        total += value
        points[at] = total
    return series.with_points(points)


def _clocked(read: Callable[[datetime], float]) -> Function:
    """A point for every period, whatever the metric has."""

    def compute(grid: Grid, arguments: Sequence[Argument]) -> Value:
        series = _one(arguments[0])
        instants = grid.instants(series.period_s)
        return series.with_points({at: float(read(datetime.fromtimestamp(at, UTC))) for at in instants})

    return Function(1, 1, compute)


def _period(_: Grid, arguments: Sequence[Argument]) -> Value:
    series = _one(arguments[0])
    if not series.is_metric:
        raise ExpressionError("it takes a metric, not the result of an expression")
    return float(series.period_s)


def _time_series(grid: Grid, arguments: Sequence[Argument]) -> Value:
    value = _number(arguments[0])
    return TimeSeries({}, grid.period_s).with_points(dict.fromkeys(grid.instants(grid.period_s), value))


def _pick(index: int) -> Function:
    def compute(_: Grid, arguments: Sequence[Argument]) -> Value:
        array = _array(arguments[0])
        return array[index] if array else TimeSeries({}, 60)

    return Function(1, 1, compute)


def _sorted_array(_: Grid, arguments: Sequence[Argument]) -> Value:
    array, by, order = _array(arguments[0]), arguments[1], arguments[2]
    if not isinstance(by, Word) or by.text not in SUMMARIES or not isinstance(order, Word):
        raise ExpressionError("it takes an array, one of AVG, MIN, MAX, SUM, and ASC or DESC")
    summary = SUMMARIES[by.text]
    ordered = sorted(array, key=lambda s: summary(list(s.points.values())), reverse=order.text == "DESC")
    return tuple(ordered[: int(_number(arguments[3]))] if len(arguments) > 3 else ordered)


def _slice(_: Grid, arguments: Sequence[Argument]) -> Value:
    array, bounds = _array(arguments[0]), [int(_number(bound)) for bound in arguments[1:]]
    return array[bounds[0] : bounds[1]] if len(bounds) > 1 else array[bounds[0] :]


def _if(_: Grid, arguments: Sequence[Argument]) -> Value:
    values = [argument for argument in arguments if not isinstance(argument, Word)]
    return choose(values[0], values[1], values[2] if len(values) > 2 else None)


def _fill(grid: Grid, arguments: Sequence[Argument]) -> Value:
    value, filler = arguments
    if isinstance(filler, tuple) or isinstance(value, Word):
        raise ExpressionError("it takes a time series and a number, a time series, REPEAT or LINEAR")
    how = filler.text if isinstance(filler, Word) else filler
    if isinstance(value, tuple):
        return tuple(fill(series, how, grid.instants(series.period_s)) for series in value)
    series = _one(value)
    return fill(series, how, grid.instants(series.period_s))


def _one(value: Argument) -> TimeSeries:
    if isinstance(value, TimeSeries):
        return value
    raise ExpressionError("it takes a time series")


def _array(value: Argument) -> Array:
    if isinstance(value, tuple):
        return value
    raise ExpressionError("it takes a time series or an array of them")


def _number(value: Argument) -> float:
    if isinstance(value, float):
        return value
    raise ExpressionError("it takes a single number")


def _log(base: float) -> Callable[[float], float | None]:
    return lambda value: math.log(value, base) if value > 0 else None


SUMMARIES: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {
        "AVG": _average,
        "SUM": math.fsum,
        "MIN": lambda values: min(values, default=0.0),
        "MAX": lambda values: max(values, default=0.0),
    }
)
WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"FILL": frozenset({"REPEAT", "LINEAR"}), "SORT": frozenset({*SUMMARIES, "ASC", "DESC"})}
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "ABS": _each(abs),
        "CEIL": _each(lambda value: float(math.ceil(value))),
        "FLOOR": _each(lambda value: float(math.floor(value))),
        "LOG": _each(_log(math.e)),
        "LOG10": _each(lambda value: math.log10(value) if value > 0 else None),
        "AVG": _summary(SUMMARIES["AVG"], missing_is_zero=True),
        "SUM": _summary(SUMMARIES["SUM"]),
        "MIN": _summary(SUMMARIES["MIN"]),
        "MAX": _summary(SUMMARIES["MAX"]),
        "STDDEV": _summary(lambda values: statistics.pstdev(values) if values else 0.0),
        "DATAPOINT_COUNT": _summary(lambda values: float(len(values))),
        "DIFF": _steps(lambda difference, _seconds, _value: difference),
        "DIFF_TIME": _steps(lambda _difference, seconds, _value: seconds),
        "RATE": _steps(lambda difference, seconds, _value: difference / seconds),
        "RUNNING_SUM": _per_series(_running_sum),
        "PERIOD": Function(1, 1, _period),
        "IF": Function(2, 3, _if),
        "FILL": Function(2, 2, _fill),
        "FIRST": _pick(0),
        "LAST": _pick(-1),
        "SORT": Function(3, 4, _sorted_array),
        "SLICE": Function(2, 3, _slice),
        "METRIC_COUNT": Function(1, 1, lambda _, arguments: float(len(_array(arguments[0])))),
        "REMOVE_EMPTY": Function(1, 1, lambda _, args: tuple(series for series in _array(args[0]) if series.points)),
        "TIME_SERIES": Function(1, 1, _time_series),
        "MINUTE": _clocked(lambda moment: moment.minute),
        "HOUR": _clocked(lambda moment: moment.hour),
        "DAY": _clocked(lambda moment: moment.isoweekday()),
        "DATE": _clocked(lambda moment: moment.day),
        "MONTH": _clocked(lambda moment: moment.month),
        "YEAR": _clocked(lambda moment: moment.year),
        "EPOCH": _clocked(lambda moment: moment.timestamp()),
    }
)
