"""The wire operations PutMetricData, GetMetricStatistics and ListMetrics. Rule: wire names stop here.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from collections.abc import Mapping
from typing import Any, Protocol

from penstock.core.clock import Clock
from penstock.core.context import RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, page
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.metrics.cell import Cell
from penstock.observe.metrics.model import HOUR_S, NO_UNIT, Datum, ListedMetric, MetricKey, SeriesQuery, StatisticSet
from penstock.observe.metrics.read import Periods
from penstock.observe.metrics.statistic import Statistic, StatisticError, parse_statistic
from penstock.observe.metrics.windows import is_valid_period, period_count, rounded_start
from penstock.observe.ports import Dimensions

MAX_DATAPOINTS = 1440
PAGE_OF_METRICS = 500


class MetricsRoom(Protocol):
    """What these operations need of the room."""

    async def put(self, scope: Scope, namespace: str, data: list[Datum]) -> None: ...

    async def periods_by_unit(self, query: SeriesQuery) -> dict[str, Periods]: ...

    def listed(self, scope: Scope) -> list[ListedMetric]: ...


def operations(room: MetricsRoom, clock: Clock) -> dict[str, Operation]:
    """The operations, bound to the room."""

    async def put_metric_data(context: RequestContext, params: Params) -> Result:
        await room.put(context.scope, params["Namespace"], _data(params, clock.now()))
        return {}

    async def get_metric_statistics(context: RequestContext, params: Params) -> Result:
        statistics = _statistics(params)
        by_unit = await room.periods_by_unit(_statistics_query(context.scope, params, clock.now()))
        points = [
            _datapoint(at, unit, cell, statistics) for unit, periods in by_unit.items() for at, cell in periods.items()
        ]
        return {"Label": params["MetricName"], "Datapoints": [point for point in points if len(point) > 2]}

    async def list_metrics(context: RequestContext, params: Params) -> Result:
        found = [metric for metric in room.listed(context.scope) if _is_wanted(metric, params, clock.now())]
        try:
            chosen, token = page(found, params.get("NextToken"), PAGE_OF_METRICS, _page_key)
        except BadTokenError as error:
            raise ApiError("InvalidParameterValue", "Invalid nextToken: it did not come from ListMetrics.") from error
        return {"Metrics": [wire_metric(metric.key) for metric in chosen], "NextToken": token}

    return {
        "PutMetricData": put_metric_data,
        "GetMetricStatistics": get_metric_statistics,
        "ListMetrics": list_metrics,
    }


def read_dimensions(members: list[Mapping[str, str]] | None) -> Dimensions:
    """Dimensions in the order that makes them comparable."""
    return tuple(sorted((member["Name"], member["Value"]) for member in members or []))


def wire_metric(key: MetricKey) -> Result:
    """A `Metric` structure."""
    return {
        "Namespace": key.namespace,
        "MetricName": key.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
    }


def _data(params: Params, now: float) -> list[Datum]:
    data = list(params.get("MetricData") or [])
    for entity in params.get("EntityMetricData") or []:
        data += entity.get("MetricData") or []
    return [_datum(member, f"MetricData.member.{number}", now) for number, member in enumerate(data, 1)]


def _datum(member: Mapping[str, Any], where: str, now: float) -> Datum:
    given = [name for name in ("Value", "Values", "StatisticValues") if member.get(name) is not None]
    if not given:
        raise ApiError("MissingParameter", f"The parameter {where}.Value is required, or Values, or StatisticValues.")
    if len(given) > 1:
        raise ApiError(
            "InvalidParameterCombination",
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive "
            "and you have specified both.",
        )
    return Datum(
        name=member["MetricName"],
        dimensions=read_dimensions(member.get("Dimensions")),
        unit=member.get("Unit") or NO_UNIT,
        at=member.get("Timestamp") if member.get("Timestamp") is not None else now,  # type: ignore[arg-type]
        resolution_s=member.get("StorageResolution") or 60,
        values=_values(member, where),
        statistics=_statistic_set(member.get("StatisticValues")),
    )


def _values(member: Mapping[str, Any], where: str) -> tuple[tuple[float, float], ...]:
    counts = member.get("Counts")
    if member.get("Value") is not None:
        if counts:
            raise ApiError("InvalidParameterCombination", f"{where}.Counts goes with {where}.Values, not with Value.")
        return ((float(member["Value"]), 1.0),)
    values = member.get("Values") or []
    if counts is not None and len(counts) != len(values):
        raise ApiError(
            "InvalidParameterValue", f"The parameters {where}.Values and {where}.Counts must be of the same size."
        )
    return tuple(
        (float(value), float(count)) for value, count in zip(values, counts or [1.0] * len(values), strict=True)
    )


def _statistic_set(member: Mapping[str, float] | None) -> StatisticSet | None:
    if member is None:
        return None
    return StatisticSet(member["SampleCount"], member["Sum"], member["Minimum"], member["Maximum"])


def _statistics(params: Params) -> list[Statistic]:
    simple, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
    if simple and extended:
        raise ApiError(
            "InvalidParameterCombination",
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        )
    if not simple and not extended:
        raise ApiError("MissingParameter", "The parameter Statistics or the parameter ExtendedStatistics is required.")
    try:
        return [parse_statistic(text) for text in [*simple, *extended]]
    except StatisticError as error:
        message = f"The value for parameter ExtendedStatistics is not valid: {error}."
        raise ApiError("InvalidParameterValue", message) from error


def _statistics_query(scope: Scope, params: Params, now: float) -> SeriesQuery:
    start, end, period = params["StartTime"], params["EndTime"], params["Period"]
    if start >= end:
        raise ApiError("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
    if not is_valid_period(period):
        raise ApiError(
            "InvalidParameterValue",
            f"The value {period} for parameter Period is invalid: use 1, 5, 10, 20, 30 or a multiple of 60.",
        )
    start = rounded_start(start, period, now)
    count = period_count(start, end, period)
    if count > MAX_DATAPOINTS:
        raise ApiError(
            "InvalidParameterCombination",
            f"You have requested up to {count:,} datapoints, which exceeds the limit of {MAX_DATAPOINTS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        )
    key = MetricKey(scope, params["Namespace"], params["MetricName"], read_dimensions(params.get("Dimensions")))
    return SeriesQuery(key, start, end, period, params.get("Unit"))


def _datapoint(at: float, unit: str, cell: Cell, statistics: list[Statistic]) -> dict[str, Any]:
    point: dict[str, Any] = {"Timestamp": at, "Unit": unit}
    extended: dict[str, float] = {}
    for statistic in statistics:
        value = statistic.of(cell)
        if value is not None:
            (point if statistic.bounds is None else extended)[statistic.text] = value
    return {**point, "ExtendedStatistics": extended} if extended else point


def _is_wanted(metric: ListedMetric, params: Params, now: float) -> bool:
    key = metric.key
    if params.get("OwningAccount") not in (None, key.scope.account):
        return False
    if params.get("RecentlyActive") and metric.last_at < now - 3 * HOUR_S:
        return False
    if params.get("Namespace") not in (None, key.namespace) or params.get("MetricName") not in (None, key.name):
        return False
    values = dict(key.dimensions)
    return all(
        name_filter["Name"] in values and name_filter.get("Value") in (None, values[name_filter["Name"]])
        for name_filter in params.get("Dimensions") or []
    )


def _page_key(metric: ListedMetric) -> str:
    key = metric.key
    pairs = [part for pair in key.dimensions for part in pair]
    return "\x00".join([key.namespace, key.name, *pairs])
