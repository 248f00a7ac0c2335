"""Metric data queries: metrics and expressions that refer to each other by id. Rule: checked whole before any is run.

Shared by `GetMetricData` and by alarms on metric math.
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.core.context import Scope
from penstock.observe.metrics.expressions.evaluate import World, evaluate_series
from penstock.observe.metrics.expressions.parse import parse
from penstock.observe.metrics.expressions.syntax import ExpressionError, Node, names_in
from penstock.observe.metrics.expressions.values import Array, Grid, TimeSeries, Value
from penstock.observe.metrics.model import MetricKey, SeriesQuery
from penstock.observe.metrics.read import Periods
from penstock.observe.metrics.statistic import Statistic, StatisticError, parse_statistic
from penstock.observe.metrics.windows import is_valid_period, rounded_start

_ID = re.compile(r"[a-z][A-Za-z0-9_]*\Z")
MAX_QUERIES = 500


class QueryError(ValueError):
    """The queries make no sense; the message is for the caller, the code is the operation's."""


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One metric to fetch."""

    id: str
    label: str
    returns_data: bool
    key: MetricKey
    statistic: Statistic
    period_s: int
    unit: str | None


@dataclass(frozen=True, slots=True)
class ExpressionQuery:
    """One expression to compute."""

    id: str
    label: str
    returns_data: bool
    text: str
    node: Node
    period_s: int | None


Query = MetricQuery | ExpressionQuery
Fetch = Callable[[SeriesQuery], Awaitable[Periods]]


def read_queries(scope: Scope, members: Sequence[Mapping[str, Any]]) -> list[Query]:
    """Understand and check `MetricDataQueries`. Raises `QueryError`."""
    if not members:
        raise QueryError("MetricDataQueries must not be empty")
    if len(members) > MAX_QUERIES:
        raise QueryError(f"MetricDataQueries must not have more than {MAX_QUERIES} elements")
    queries = [_query(scope, member) for member in members]
    ids = [query.id for query in queries]
    doubled = next((one for one in ids if ids.count(one) > 1), None)
    if doubled:
        raise QueryError(f"The id {doubled!r} is used twice; ids must be unique within a request")
    _rehearse(queries)
    return queries


async def run_queries(queries: Sequence[Query], fetch: Fetch, start: float, end: float, now: float) -> dict[str, Array]:
    """The series of every query, whether it returns data or not. Expressions that fail raise `QueryError`."""
    metrics = {}
    for query in queries:
        if isinstance(query, MetricQuery):
            begins = rounded_start(start, query.period_s, now)
            periods = await fetch(SeriesQuery(query.key, begins, end, query.period_s, query.unit))
            metrics[query.id] = _time_series(query, periods)
    return compute(queries, metrics, Grid(start, min(end, now), now))


def compute(queries: Sequence[Query], metrics: Mapping[str, TimeSeries], grid: Grid) -> dict[str, Array]:
    """Pure: the expressions over fetched metrics, each after those it refers to. Raises `QueryError`."""
    values: dict[str, Value] = dict(metrics)
    results: dict[str, Array] = {metric_id: (series,) for metric_id, series in metrics.items()}
    for query in _in_order(queries):
        own = replace(grid, period_s=query.period_s or _period_of(query, values))
        try:
            results[query.id] = evaluate_series(query.node, World(values, metrics, own))
        except (ExpressionError, OverflowError, ValueError) as error:
            raise QueryError(f"Error in expression {query.id!r} [{error}]") from error
        found = results[query.id]
        values[query.id] = found[0] if len(found) == 1 else found
    return results


def _query(scope: Scope, member: Mapping[str, Any]) -> Query:
    query_id, stat, expression = member["Id"], member.get("MetricStat"), member.get("Expression")
    if not _ID.match(query_id):
        raise QueryError(f"The id {query_id!r} must begin with a lower-case letter; letters, digits and _ may follow")
    if (stat is None) == (expression is None):
        raise QueryError(f"The query {query_id!r} must have either Expression or MetricStat, and not both")
    returns_data = member.get("ReturnData") is not False
    label = member.get("Label")
    if stat is not None:
        return _metric_query(scope, query_id, label, stat, returns_data=returns_data)
    period = member.get("Period")
    if period is not None and not is_valid_period(period):
        raise QueryError(f"The period {period} of {query_id!r} must be 1, 5, 10, 20, 30 or a multiple of 60")
    text = str(expression)
    try:
        return ExpressionQuery(query_id, query_id if label is None else label, returns_data, text, parse(text), period)
    except ExpressionError as error:
        raise QueryError(f"Error in expression {query_id!r} [{error}]") from error


def _metric_query(
    scope: Scope, query_id: str, label: str | None, stat: Mapping[str, Any], *, returns_data: bool
) -> MetricQuery:
    metric, period = stat["Metric"], stat["Period"]
    if not metric.get("Namespace") or not metric.get("MetricName"):
        raise QueryError(f"The metric of {query_id!r} must have Namespace and MetricName")
    if not is_valid_period(period):
        raise QueryError(f"The period {period} of {query_id!r} must be 1, 5, 10, 20, 30 or a multiple of 60")
    try:
        statistic = parse_statistic(stat["Stat"])
    except StatisticError as error:
        raise QueryError(
            f"The value {stat['Stat']!r} for parameter Stat of {query_id!r} is not valid: {error}"
        ) from error
    dimensions = tuple(sorted((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions") or []))
    key = MetricKey(scope, metric["Namespace"], metric["MetricName"], dimensions)
    name = metric["MetricName"] if label is None else label
    return MetricQuery(query_id, name, returns_data, key, statistic, period, stat.get("Unit"))


def _rehearse(queries: Sequence[Query]) -> None:
    """Run the expressions over metrics without points: unknown ids, cycles and wrong arguments show before fetching."""
    empty = {
        query.id: TimeSeries({}, query.period_s, query.label, is_metric=True)
        for query in queries
        if isinstance(query, MetricQuery)
    }
    compute(queries, empty, Grid(0.0, 0.0, 0.0))


def _in_order(queries: Sequence[Query]) -> list[ExpressionQuery]:
    """Every expression after the expressions it refers to."""
    waiting = {query.id: query for query in queries if isinstance(query, ExpressionQuery)}
    ordered: list[ExpressionQuery] = []
    while waiting:
        ready = [query for query in waiting.values() if not waiting.keys() & set(names_in(query.node))]
        if not ready:
            raise QueryError(f"The expressions {', '.join(sorted(waiting))} refer to each other in a circle")
        ordered += [waiting.pop(query.id) for query in ready]
    return ordered


def _period_of(query: ExpressionQuery, values: Mapping[str, Value]) -> int:
    """The longest period among the series it refers to, or among all when it names none."""
    named = [values[name] for name in names_in(query.node) if name in values] or list(values.values())
    series = [one for value in named for one in (value if isinstance(value, tuple) else (value,))]
    return max((one.period_s for one in series if isinstance(one, TimeSeries)), default=60)


def _time_series(query: MetricQuery, periods: Periods) -> TimeSeries:
    values = ((at, query.statistic.of(cell)) for at, cell in periods.items())
    points = {at: value for at, value in values if value is not None}
    return TimeSeries(points, query.period_s, query.label, is_metric=True)
