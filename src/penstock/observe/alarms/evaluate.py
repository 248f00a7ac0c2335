"""Is a metric alarm in ALARM? Rule: pure; AWS's tables of missing data are its tests, row by row.

The evaluation range is two periods longer than the alarm's evaluation periods, so that real datapoints a little
further back are preferred over invented ones. Where AWS leaves the length open, its tables use that one.
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Sequence

from penstock.observe.alarms.model import AlarmState, Datapoint, Decision, MetricRule, Missing
from penstock.observe.alarms.reason import Evidence, reason_data, reason_text
from penstock.observe.metrics.statistic import parse_statistic

EXTRA_PERIODS = 2


def range_length(rule: MetricRule) -> int:
    """How many periods are fetched to evaluate the rule."""
    return rule.evaluation_periods + EXTRA_PERIODS


def evaluate(rule: MetricRule, datapoints: Sequence[Datapoint], current: AlarmState, now: float) -> Decision | None:
    """Decide from the evaluation range, oldest first, missing periods included. None keeps the current state."""
    real = [point for point in datapoints if point.value is not None]
    chosen = real[-rule.evaluation_periods :]
    if rule.low_samples == "ignore" and _has_too_few_samples(rule, chosen):
        return None
    breaching = [point for point in chosen if _breaches(rule, point)]
    filled = rule.evaluation_periods - len(chosen)
    state = _state(rule, datapoints, chosen, len(breaching), filled)
    if state is None or state is current:
        return None
    treated_as = rule.missing if filled and rule.missing in (Missing.BREACHING, Missing.NOT_BREACHING) else None
    evidence = Evidence(tuple(chosen), tuple(breaching), filled, treated_as)
    missing_at = [point for point in datapoints if point.value is None][-filled:] if filled else []
    return Decision(state, reason_text(rule, state, evidence), reason_data(rule, chosen, missing_at, now))


def _state(
    rule: MetricRule, datapoints: Sequence[Datapoint], chosen: Sequence[Datapoint], breaching: int, filled: int
) -> AlarmState | None:
    if breaching >= rule.needed:
        return AlarmState.ALARM
    if not filled or rule.missing is Missing.NOT_BREACHING:
        return AlarmState.OK
    if rule.missing is Missing.BREACHING:
        return AlarmState.ALARM if breaching + filled >= rule.needed else AlarmState.OK
    if breaching < len(chosen):
        return AlarmState.OK
    # Nothing speaks for OK: no data at all, or only breaching data that is too little to alarm on the count.
    if rule.missing is Missing.IGNORE:
        return None
    return AlarmState.ALARM if _is_old_enough(rule, datapoints) else AlarmState.INSUFFICIENT_DATA


def _is_old_enough(rule: MetricRule, datapoints: Sequence[Datapoint]) -> bool:
    """The oldest real datapoint, a breaching one, has had its chance to be followed by a good one and was not.

    This is AWS's guard against premature alarms: `- - - - X` waits, `- - X - -` does not.
    """
    oldest = next((index for index, point in enumerate(datapoints) if point.value is not None), None)
    return oldest is not None and len(datapoints) - oldest >= rule.needed


def _breaches(rule: MetricRule, point: Datapoint) -> bool:
    return point.value is not None and rule.comparison.holds(point.value, rule.threshold)


def _has_too_few_samples(rule: MetricRule, chosen: Sequence[Datapoint]) -> bool:
    """Fewer than 10/(1-p) samples say little about a high percentile, fewer than 10/p about a low one."""
    percent = parse_statistic(rule.watch.statistic).percentile if rule.watch else None
    if percent is None or not chosen:
        return False
    share = percent / 100
    rare = 1 - share if share >= 0.5 else share
    samples = sum(point.samples or 0.0 for point in chosen)
    return samples * rare < 10 - 1e-9
