"""What makes a metric alarm's rule acceptable, beyond what the wire's model says. Rule: pure; raises `ApiError`.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import math
from collections.abc import Mapping, Sequence

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.observe.alarms.model import Actions, MetricRule
from penstock.observe.metrics.model import DAY_S, HOUR_S, MINUTE_S
from penstock.observe.metrics.queries import MetricQuery, Query, QueryError, read_queries
from penstock.observe.metrics.statistic import StatisticError, parse_statistic

MAX_ALARMS = 5000
MAX_TAGS = 50
MAX_ALARM_METRICS = 10


def check_name(name: str) -> None:
    """No control characters."""
    if any(letter < " " or letter == "\x7f" for letter in name):
        raise refused("The alarm name must not contain control characters.")


def check_rule(rule: MetricRule) -> None:
    """Raise the first thing that is wrong with the rule."""
    if not math.isfinite(rule.threshold):
        raise refused(f"The threshold must be a number, not {rule.threshold}.")
    if rule.datapoints_to_alarm is not None and rule.datapoints_to_alarm > rule.evaluation_periods:
        raise refused("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    check_period(rule.period_s)
    _check_span(rule)
    if rule.watch is None:
        _check_low_samples(rule, is_percentile=False)
        return
    try:
        statistic = parse_statistic(rule.watch.statistic)
    except StatisticError as error:
        raise refused(f"The value {rule.watch.statistic} for parameter ExtendedStatistic is not supported.") from error
    _check_low_samples(rule, is_percentile=statistic.percentile is not None)


def read_alarm_queries(scope: Scope, members: Sequence[Mapping[str, object]]) -> tuple[list[Query], int]:
    """The queries of an alarm on metric math and their common period. Raises `ApiError`."""
    try:
        queries = read_queries(scope, members)
    except QueryError as error:
        raise refused(f"Invalid metrics list: {error}.") from error
    watched = [query for query in queries if query.returns_data]
    if len(watched) != 1:
        raise refused(
            f"Exactly one element of the metrics list must return data, not {len(watched)}: "
            "set ReturnData to false in the others."
        )
    metrics = [query for query in queries if isinstance(query, MetricQuery)]
    periods = {query.period_s for query in queries if query.period_s is not None}
    if len(metrics) > MAX_ALARM_METRICS:
        raise refused(f"The metrics list must not have more than {MAX_ALARM_METRICS} metrics.")
    if not metrics:
        raise refused("The metrics list must have at least one metric.")
    if len(periods) != 1:
        raise refused(f"Period must be the same in the whole metrics list, not {sorted(periods)}.")
    return queries, periods.pop()


def check_period(period_s: int) -> None:
    """10, 20, 30 or whole minutes."""
    if period_s not in (10, 20, 30) and (period_s <= 0 or period_s % MINUTE_S):
        raise refused("Period must be 10, 20, 30 or a multiple of 60.")


def check_actions(actions: Actions) -> None:
    """Targets are ARNs."""
    for target in (*actions.ok, *actions.alarm, *actions.insufficient_data):
        if not target.startswith("arn:") or target.count(":") < 5:
            raise refused(f"Invalid arn syntax: {target}")


def check_tags(tags: Mapping[str, str], code: str = "ValidationError") -> None:
    """Not too many, and none of AWS's own."""
    if len(tags) > MAX_TAGS:
        raise ApiError(code, f"An alarm can have at most {MAX_TAGS} tags, not {len(tags)}.", status=400)
    reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
    if reserved:
        raise ApiError(code, f"The tag key {reserved} is reserved: keys must not begin with aws:.", status=400)


def refused(message: str) -> ApiError:
    """CloudWatch's code for a request that makes no sense; its model does not list it."""
    return ApiError("ValidationError", message, status=400)


def _check_span(rule: MetricRule) -> None:
    span = rule.period_s * rule.evaluation_periods
    longest = DAY_S if rule.period_s < HOUR_S else 7 * DAY_S
    if span > longest:
        raise refused(
            f"Metrics cannot be checked across more than {longest // DAY_S} day(s) at this period "
            f"(EvaluationPeriods * Period must be <= {longest}, not {span})."
        )


def _check_low_samples(rule: MetricRule, *, is_percentile: bool) -> None:
    if rule.low_samples is None:
        return
    if rule.low_samples not in ("evaluate", "ignore"):
        raise refused(
            f"Option {rule.low_samples} is not supported. "
            "Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore."
        )
    if not is_percentile:
        raise refused("EvaluateLowSampleCountPercentile goes with a percentile in ExtendedStatistic only.")
