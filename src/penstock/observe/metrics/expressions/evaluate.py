"""Computes a metric math expression. Rule: pure; the series come in, a value comes out, nothing is fetched.

The final result must be a time series or an array of them: `evaluate_series` sees to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.observe.metrics.expressions.functions import FUNCTIONS, WORDS, Argument, Word
from penstock.observe.metrics.expressions.refused import REFUSED
from penstock.observe.metrics.expressions.syntax import (
    Binary,
    Call,
    ExpressionError,
    Group,
    Name,
    Negation,
    Node,
    Number,
    Text,
)
from penstock.observe.metrics.expressions.values import Array, Grid, TimeSeries, Value, combine


@dataclass(frozen=True, slots=True)
class World:
    """What an expression may refer to."""

    values: Mapping[str, Value]
    """Everything computed so far, by query id."""
    metrics: Mapping[str, TimeSeries]
    """The metrics of the request, for METRICS()."""
    grid: Grid


def evaluate(node: Node, world: World) -> Value:
    """The value of an expression. Raises `ExpressionError`."""
    match node:
        case Number():
            return node.value
        case Name():
            return _named(node, world)
        case Negation():
            return combine("*", evaluate(node.operand, world), -1.0, node.position)
        case Binary():
            left, right = evaluate(node.left, world), evaluate(node.right, world)
            return combine(node.operator, left, right, node.position)
        case Group():
            return _flattened([evaluate(item, world) for item in node.items], node)
        case Call():
            return _called(node, world)
        case Text():
            raise ExpressionError("a quoted text is only understood inside METRICS", node.position)


def evaluate_series(node: Node, world: World) -> Array:
    """The final result of an expression, as one or more time series."""
    value = evaluate(node, world)
    if isinstance(value, TimeSeries):
        return (value,)
    if isinstance(value, tuple):
        return value
    raise ExpressionError("the result is a single number; it must be a time series, for example TIME_SERIES(…)")


def _named(node: Name, world: World) -> Value:
    if node.name in world.values:
        return world.values[node.name]
    hint = "; functions need brackets" if node.name in FUNCTIONS else ""
    raise ExpressionError(f"unknown id {node.name!r}{hint}", node.position)


def _flattened(values: list[Value], node: Group) -> Array:
    series: list[TimeSeries] = []
    for value in values:
        if isinstance(value, TimeSeries):
            series.append(value)
        elif isinstance(value, tuple):
            series.extend(value)
        else:
            raise ExpressionError("an array holds time series, not single numbers", node.position)
    return tuple(series)


def _called(node: Call, world: World) -> Value:
    if node.function == "METRICS":
        return _metrics(node, world)
    if node.function in REFUSED:
        raise ExpressionError(f"{node.function} is not supported by Penstock: {REFUSED[node.function]}", node.position)
    if node.function not in FUNCTIONS:
        upper = f"; write {node.function.upper()}" if node.function.upper() in FUNCTIONS else ""
        raise ExpressionError(f"unknown function {node.function!r}{upper}", node.position)
    function = FUNCTIONS[node.function]
    arguments = [_argument(node.function, argument, world) for argument in node.arguments]
    if not function.least <= len(arguments) <= function.most:
        wanted = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        raise ExpressionError(f"{node.function} takes {wanted} arguments, not {len(arguments)}", node.position)
    try:
        return function.compute(world.grid, arguments)
    except ExpressionError as error:
        if error.position is not None:
            raise
        raise ExpressionError(f"{node.function}: {error}", node.position) from error


def _argument(function: str, node: Node, world: World) -> Argument:
    """`FILL(m1, REPEAT)` and `SORT(…, AVG, DESC)` take bare words where others take values."""
    if isinstance(node, Name) and node.name in WORDS.get(function, ()) and node.name not in world.values:
        return Word(node.name)
    return evaluate(node, world)


def _metrics(node: Call, world: World) -> Array:
    if not node.arguments:
        return tuple(world.metrics.values())
    part = node.arguments[0]
    if len(node.arguments) > 1 or not isinstance(part, Text):
        raise ExpressionError("METRICS takes nothing, or one quoted part of an id", node.position)
    return tuple(series for metric_id, series in world.metrics.items() if part.value in metric_id)
