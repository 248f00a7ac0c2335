"""The wire operations that write alarms: PutMetricAlarm, PutCompositeAlarm, DeleteAlarms. Rule: wire names stop here.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from penstock.core.context import RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.alarms.check import read_alarm_queries, refused
from penstock.observe.alarms.model import Actions, Comparison, CompositeRule, MetricRule, Missing, Watch
from penstock.observe.alarms.put import delete_alarms, new_alarm, put_alarm
from penstock.observe.api.cloudwatch_metrics import read_dimensions
from penstock.observe.metrics.put import check_dimensions
from penstock.store.database import Connection

T = TypeVar("T")
OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
UNSUPPORTED = {
    "ThresholdMetricId": "anomaly detection",
    "EvaluationCriteria": "PromQL alarms",
    "EvaluationInterval": "PromQL alarms",
    "WarmUpConfiguration": "warm-up periods",
    "ActionConfiguration": "tags in notifications",
}


class AlarmsRoom(Protocol):
    """What these operations need of the room."""

    async def write(self, work: Callable[[Connection], T]) -> T: ...

    def now(self) -> float: ...


def operations(room: AlarmsRoom) -> dict[str, Operation]:
    """The operations, bound to the room."""

    async def put_metric_alarm(context: RequestContext, params: Params) -> Result:
        return await _put(room, context, params, _metric_rule(params, context.scope))

    async def put_composite_alarm(context: RequestContext, params: Params) -> Result:
        return await _put(room, context, params, _composite_rule(params))

    async def delete(context: RequestContext, params: Params) -> Result:
        names, now = params["AlarmNames"], room.now()
        await room.write(lambda connection: delete_alarms(connection, context.scope, names, now))
        return {}

    return {"PutMetricAlarm": put_metric_alarm, "PutCompositeAlarm": put_composite_alarm, "DeleteAlarms": delete}


async def _put(room: AlarmsRoom, context: RequestContext, params: Params, rule: MetricRule | CompositeRule) -> Result:
    alarm = new_alarm(
        context.scope,
        params["AlarmName"],
        rule,
        _actions(params),
        description=params.get("AlarmDescription"),
        tags={tag["Key"]: tag["Value"] for tag in params.get("Tags") or []},
        now=room.now(),
    )
    await room.write(lambda connection: put_alarm(connection, alarm))
    return {}


def _actions(params: Params) -> Actions:
    return Actions(
        enabled=params.get("ActionsEnabled") is not False,
        ok=tuple(params.get("OKActions") or ()),
        alarm=tuple(params.get("AlarmActions") or ()),
        insufficient_data=tuple(params.get("InsufficientDataActions") or ()),
    )


def _metric_rule(params: Params, scope: Scope) -> MetricRule:
    _refuse_unsupported(params)
    metrics = params.get("Metrics") or []
    if metrics:
        together = [name for name in OF_ONE_METRIC if params.get(name)]
        if together:
            raise _combination(f"Metrics list cannot be combined with {', '.join(together)}: put it into the list.")
        watch, period = None, read_alarm_queries(scope, metrics)[1]
    else:
        watch, period = _watch(params), params["Period"]
    return MetricRule(
        comparison=_comparison(params),
        threshold=float(_required(params, "Threshold")),
        period_s=period,
        evaluation_periods=_required(params, "EvaluationPeriods"),
        datapoints_to_alarm=params.get("DatapointsToAlarm"),
        missing=_missing(params),
        low_samples=params.get("EvaluateLowSampleCountPercentile"),
        watch=watch,
        queries=tuple(metrics),
    )


def _watch(params: Params) -> Watch:
    if not params.get("MetricName"):
        raise refused("Either MetricName or Metrics must be given: an alarm watches a metric or an expression.")
    for name in ("Namespace", "Period"):
        if params.get(name) is None:
            raise refused(f"{name} is required for an alarm on a metric.")
    statistic, extended = params.get("Statistic"), params.get("ExtendedStatistic")
    if (statistic is None) == (extended is None):
        raise refused("Exactly one of Statistic and ExtendedStatistic must be given.")
    dimensions = read_dimensions(params.get("Dimensions"))
    check_dimensions(dimensions, "PutMetricAlarm")
    return Watch(params["Namespace"], params["MetricName"], dimensions, statistic or extended or "", params.get("Unit"))


def _comparison(params: Params) -> Comparison:
    given = _required(params, "ComparisonOperator")
    if given not in {comparison.value for comparison in Comparison}:
        raise refused(f"ComparisonOperator {given} belongs to anomaly detection, which Penstock does not have.")
    return Comparison(given)


def _missing(params: Params) -> Missing | None:
    given = params.get("TreatMissingData")
    supported = [missing.value for missing in Missing]
    if given is not None and given not in supported:
        raise refused(
            f"The value {given} is not supported for TreatMissingData parameter. Supported values are {supported}."
        )
    return None if given is None else Missing(given)


def _required(params: Params, name: str) -> Any:
    if params.get(name) is None:
        raise refused(f"{name} is required.")
    return params[name]


def _refuse_unsupported(params: Params) -> None:
    for name, what in UNSUPPORTED.items():
        if params.get(name) is not None:
            raise refused(f"{name} is not supported: Penstock does not have {what}.")
    if "WallClockWindow" in (params.get("EvaluationWindow") or {}):
        raise refused("EvaluationWindow must be a sliding window: Penstock does not have wall clock windows.")


def _composite_rule(params: Params) -> CompositeRule:
    suppressor = params.get("ActionsSuppressor")
    wait, extension = params.get("ActionsSuppressorWaitPeriod"), params.get("ActionsSuppressorExtensionPeriod")
    if params.get("ActionConfiguration") is not None:
        raise refused("ActionConfiguration is not supported: Penstock does not have tags in notifications.")
    if (suppressor is None) != (wait is None) or (suppressor is None) != (extension is None):
        raise refused(
            "ActionsSuppressor, ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod go together: "
            "give all three or none."
        )
    if min(wait or 0, extension or 0) < 0:
        raise refused("The suppressor's periods must not be negative.")
    return CompositeRule(params["AlarmRule"], suppressor, wait, extension)


def _combination(message: str) -> ApiError:
    return ApiError("InvalidParameterCombination", message, status=400)
