"""Fetches the evaluation range of a metric alarm. Rule: only periods that are over, the missing ones included."""

import math
from collections.abc import Awaitable, Callable

from penstock.core.context import Scope
from penstock.observe.alarms.evaluate import range_length
from penstock.observe.alarms.model import Datapoint, MetricRule, Watch
from penstock.observe.metrics.model import MetricKey, SeriesQuery
from penstock.observe.metrics.queries import read_queries, run_queries
from penstock.observe.metrics.read import Periods
from penstock.observe.metrics.statistic import Statistic, parse_statistic

Fetch = Callable[[SeriesQuery], Awaitable[Periods]]
"""`Metrics.periods`."""


def closed_until(rule: MetricRule, now: float) -> float:
    """The end of the newest period that is over: on the minute, or on the period where that is shorter."""
    grain = min(rule.period_s, 60)
    return float(math.floor(now / grain) * grain)


async def read_datapoints(fetch: Fetch, scope: Scope, rule: MetricRule, end: float) -> list[Datapoint]:
    """The range that ends at `end`, oldest first. Raises `QueryError` for metric math that cannot be computed."""
    start = end - range_length(rule) * rule.period_s
    if rule.watch is None:
        found = await _computed(fetch, scope, rule, start, end)
    else:
        query = SeriesQuery(_key(scope, rule.watch), start, end, rule.period_s, rule.watch.unit)
        found = _values(parse_statistic(rule.watch.statistic), await fetch(query))
    by_at = {point.at: point for point in found}
    instants = [start + step * rule.period_s for step in range(range_length(rule))]
    return [by_at.get(at, Datapoint(at)) for at in instants]


def _key(scope: Scope, watch: Watch) -> MetricKey:
    return MetricKey(scope, watch.namespace, watch.metric, watch.dimensions)


def _values(statistic: Statistic, periods: Periods) -> list[Datapoint]:
    return [Datapoint(at, statistic.of(cell), cell.count) for at, cell in periods.items()]


async def _computed(fetch: Fetch, scope: Scope, rule: MetricRule, start: float, end: float) -> list[Datapoint]:
    queries = read_queries(scope, rule.queries)
    results = await run_queries(queries, fetch, start, end, end)
    watched = next(query.id for query in queries if query.returns_data)
    return [Datapoint(at, value) for series in results[watched][:1] for at, value in series.points.items()]
