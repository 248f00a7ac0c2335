"""IF and FILL, the two functions with rules of their own. Rule: pure; the tables of AWS's page are the tests."""

from collections.abc import Sequence

from penstock.observe.metrics.expressions.syntax import ExpressionError
from penstock.observe.metrics.expressions.values import TimeSeries, Value


def choose(condition: Value, then: Value, otherwise: Value | None) -> TimeSeries:
    """`IF`: point by point where `condition` has points; any value but 0 is true.

    A true point without its value in `then` gives 0; a false one without its value in `otherwise` is dropped.
    """
    if isinstance(condition, tuple) or isinstance(then, tuple) or isinstance(otherwise, tuple):
        raise ExpressionError("it takes time series and numbers, not arrays")
    if not isinstance(condition, TimeSeries):
        return _choose_whole(condition, then, otherwise)
    points = {}
    for at, value in condition.points.items():
        chosen = _at(then, at, 0.0) if value else _at(otherwise, at, None)
        if chosen is not None:
            points[at] = chosen
    return condition.with_points(points)


def _choose_whole(condition: float, then: Value, otherwise: Value | None) -> TimeSeries:
    chosen = then if condition else otherwise
    if isinstance(chosen, TimeSeries):
        return chosen
    like = then if isinstance(then, TimeSeries) else otherwise
    if not isinstance(like, TimeSeries):
        raise ExpressionError("one of its arguments must be a time series")
    if chosen is None or isinstance(chosen, tuple):
        return like.with_points({})
    return like.with_points(dict.fromkeys(like.points, chosen))


def _at(value: Value | None, at: float, missing: float | None) -> float | None:
    if isinstance(value, TimeSeries):
        return value.points.get(at, missing)
    return value if isinstance(value, float) else None


def fill(series: TimeSeries, how: "str | float | TimeSeries", instants: Sequence[float]) -> TimeSeries:
    """`FILL`: a value for every period of the range that has none.

    REPEAT takes the latest value before, LINEAR the line between the neighbours; neither invents an end that is open.
    """
    filled = dict(series.points)
    known = sorted(series.points)
    after = 0
    for at in instants:
        while after < len(known) and known[after] <= at:
            after += 1
        if at not in filled:
            before = known[after - 1] if after else None
            value = _filler(series, how, at, before, known[after] if after < len(known) else None)
            if value is not None:
                filled[at] = value
    return series.with_points(filled)


def _filler(
    series: TimeSeries, how: "str | float | TimeSeries", at: float, before: float | None, after: float | None
) -> float | None:
    if isinstance(how, TimeSeries):
        return how.points.get(at)
    if isinstance(how, float):
        return how
    if before is None or (how == "LINEAR" and after is None):
        return None
    if how == "REPEAT" or after is None:
        return series.points[before]
    share = (at - before) / (after - before)
    return series.points[before] + share * (series.points[after] - series.points[before])
