"""The wire operations that read alarms: DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, decode_token, encode_token, page
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.alarms.check import refused
from penstock.observe.alarms.model import Alarm, CompositeRule, MetricRule
from penstock.observe.alarms.put import children_of
from penstock.observe.alarms.records import HistoryItem, HistoryQuery, read_alarms, read_history
from penstock.observe.api.cloudwatch_metrics import read_dimensions
from penstock.observe.metrics.statistic import SIMPLE
from penstock.store.database import Connection

T = TypeVar("T")
KINDS = frozenset({"MetricAlarm", "CompositeAlarm"})
DEFAULT_PAGE = 50


class AlarmsRoom(Protocol):
    """What these operations need of the room."""

    async def read(self, work: Callable[[Connection], T]) -> T: ...


def operations(room: AlarmsRoom) -> dict[str, Operation]:
    """The operations, bound to the room."""

    async def describe_alarms(context: RequestContext, params: Params) -> Result:
        if params.get("AlarmNames") and params.get("AlarmNamePrefix"):
            raise ApiError("InvalidParameterCombination", "Give AlarmNames or AlarmNamePrefix, not both.", status=400)
        alarms = await room.read(lambda connection: read_alarms(connection, context.scope))
        family = _family(params, alarms)
        found = [alarm for alarm in alarms if _is_wanted(alarm, params)] if family is None else family
        try:
            chosen, token = page(found, params.get("NextToken"), _page_size(params), lambda alarm: alarm.name)
        except BadTokenError as error:
            raise _bad_token() from error
        return {
            "MetricAlarms": [_shown(alarm, params) for alarm in chosen if isinstance(alarm.rule, MetricRule)],
            "CompositeAlarms": [_shown(alarm, params) for alarm in chosen if isinstance(alarm.rule, CompositeRule)],
            "NextToken": token,
        }

    async def describe_alarms_for_metric(context: RequestContext, params: Params) -> Result:
        alarms = await room.read(lambda connection: read_alarms(connection, context.scope))
        return {"MetricAlarms": [wire_alarm(alarm) for alarm in alarms if _watches(alarm, params)]}

    async def describe_alarm_history(context: RequestContext, params: Params) -> Result:
        limit = params.get("MaxRecords") or 100
        query = _history_query(params, limit + 1)
        items = await room.read(lambda connection: read_history(connection, context.scope, query))
        token = encode_token(str(items[limit - 1].id)) if len(items) > limit else None
        return {"AlarmHistoryItems": [_wire_item(item) for item in items[:limit]], "NextToken": token}

    return {
        "DescribeAlarms": describe_alarms,
        "DescribeAlarmsForMetric": describe_alarms_for_metric,
        "DescribeAlarmHistory": describe_alarm_history,
    }


def wire_alarm(alarm: Alarm) -> dict[str, Any]:
    """A `MetricAlarm` or `CompositeAlarm` structure."""
    standing, actions = alarm.standing, alarm.actions
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": alarm.description,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "ActionsEnabled": actions.enabled,
        "OKActions": list(actions.ok),
        "AlarmActions": list(actions.alarm),
        "InsufficientDataActions": list(actions.insufficient_data),
        "StateValue": standing.state.value,
        "StateReason": standing.reason,
        "StateReasonData": standing.reason_data,
        "StateUpdatedTimestamp": standing.updated_at,
        "StateTransitionedTimestamp": standing.transitioned_at,
        **(_wire_composite(alarm.rule) if isinstance(alarm.rule, CompositeRule) else _wire_metric(alarm.rule)),
    }


def _wire_metric(rule: MetricRule) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "EvaluationPeriods": rule.evaluation_periods,
        "DatapointsToAlarm": rule.datapoints_to_alarm,
        "Threshold": rule.threshold,
        "ComparisonOperator": rule.comparison.value,
        "TreatMissingData": rule.missing.value if rule.missing else None,
        "EvaluateLowSampleCountPercentile": rule.low_samples,
    }
    watch = rule.watch
    if watch is None:
        return {**wire, "Metrics": [dict(query) for query in rule.queries]}
    statistic = "Statistic" if watch.statistic in SIMPLE else "ExtendedStatistic"
    return {
        **wire,
        "MetricName": watch.metric,
        "Namespace": watch.namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in watch.dimensions],
        statistic: watch.statistic,
        "Period": rule.period_s,
        "Unit": watch.unit,
    }


def _wire_composite(rule: CompositeRule) -> dict[str, Any]:
    return {
        "AlarmRule": rule.expression,
        "ActionsSuppressor": rule.suppressor,
        "ActionsSuppressorWaitPeriod": rule.suppressor_wait_s,
        "ActionsSuppressorExtensionPeriod": rule.suppressor_extension_s,
    }


def _family(params: Params, alarms: Sequence[Alarm]) -> list[Alarm] | None:
    """The children or parents asked for, or None when neither was."""
    child, parent = params.get("ParentsOfAlarmName"), params.get("ChildrenOfAlarmName")
    if child is None and parent is None:
        return None
    others = params.keys() - {"ParentsOfAlarmName", "ChildrenOfAlarmName", "MaxRecords", "NextToken"}
    if others or (child is not None and parent is not None):
        raise refused("ChildrenOfAlarmName and ParentsOfAlarmName cannot be combined with other parameters.")
    if child is not None:
        return [alarm for alarm in alarms if child in children_of(alarm)]
    names = {name for alarm in alarms if alarm.name == parent for name in children_of(alarm)}
    return [alarm for alarm in alarms if alarm.name in names]


def _shown(alarm: Alarm, params: Params) -> dict[str, Any]:
    whole = wire_alarm(alarm)
    if params.get("ParentsOfAlarmName"):
        return {name: whole[name] for name in ("AlarmName", "AlarmArn")}
    if params.get("ChildrenOfAlarmName"):
        return {name: whole[name] for name in ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")}
    return whole


def _is_wanted(alarm: Alarm, params: Params) -> bool:
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if alarm.kind not in (params.get("AlarmTypes") or ["MetricAlarm"]):
        return False
    if params.get("StateValue") not in (None, alarm.standing.state.value):
        return False
    action_prefix, actions = params.get("ActionPrefix"), alarm.actions
    targets = (*actions.ok, *actions.alarm, *actions.insufficient_data)
    if action_prefix and not any(target.startswith(action_prefix) for target in targets):
        return False
    return alarm.name in names if names else alarm.name.startswith(prefix or "")


def _watches(alarm: Alarm, params: Params) -> bool:
    watch = alarm.rule.watch if isinstance(alarm.rule, MetricRule) else None
    if watch is None or not isinstance(alarm.rule, MetricRule):
        return False
    if (watch.namespace, watch.metric) != (params["Namespace"], params["MetricName"]):
        return False
    if watch.dimensions != read_dimensions(params.get("Dimensions")):
        return False
    statistic = params.get("Statistic") or params.get("ExtendedStatistic")
    return (
        statistic in (None, watch.statistic)
        and params.get("Period") in (None, alarm.rule.period_s)
        and params.get("Unit") in (None, watch.unit)
    )


def _history_query(params: Params, limit: int) -> HistoryQuery:
    token = params.get("NextToken")
    try:
        after = int(decode_token(token)) if token else None
    except (BadTokenError, ValueError) as error:
        raise _bad_token() from error
    kinds = params.get("AlarmTypes") or (KINDS if params.get("AlarmName") else ["MetricAlarm"])
    return HistoryQuery(
        alarm=params.get("AlarmName"),
        kinds=frozenset(kinds),
        item=params.get("HistoryItemType"),
        start=params.get("StartDate"),
        end=params.get("EndDate"),
        newest_first=params.get("ScanBy", "TimestampDescending") == "TimestampDescending",
        after=after,
        limit=limit,
    )


def _wire_item(item: HistoryItem) -> dict[str, Any]:
    return {
        "AlarmName": item.alarm,
        "AlarmType": item.kind,
        "Timestamp": item.at,
        "HistoryItemType": item.item,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


def _page_size(params: Params) -> int:
    return int(params.get("MaxRecords") or DEFAULT_PAGE)


def _bad_token() -> ApiError:
    return ApiError("InvalidNextToken", "The NextToken did not come from this operation; begin without one.")
