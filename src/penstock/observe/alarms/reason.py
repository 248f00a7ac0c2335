"""Why an alarm is in its state, in AWS's words, for people and for machines. Rule: pure text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from penstock.core.clock import iso
from penstock.observe.alarms.model import Alarm, AlarmState, Comparison, Datapoint, MetricRule, Missing

SHOWN = 5
"""Datapoints listed in the text; the machine-readable data has more."""
KEPT = 30
_WORDS = {
    Comparison.AT_LEAST: "greater than or equal to",
    Comparison.ABOVE: "greater than",
    Comparison.BELOW: "less than",
    Comparison.AT_MOST: "less than or equal to",
}
_TREATED = {Missing.BREACHING: "Breaching", Missing.NOT_BREACHING: "NonBreaching"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The datapoints that decided."""

    chosen: tuple[Datapoint, ...]
    breaching: tuple[Datapoint, ...]
    filled: int
    treated_as: Missing | None


def reason_text(rule: MetricRule, state: AlarmState, evidence: Evidence) -> str:
    """`StateReason`."""
    if state is AlarmState.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(evidence.filled, 'datapoint')} {_was(evidence.filled)} unknown."
    periods = _count(rule.evaluation_periods, "period")
    if not evidence.chosen:
        return f"Threshold Crossed: no datapoints were received for {periods}{_filled(evidence)}."
    deciding = evidence.breaching
    if state is AlarmState.OK:
        deciding = tuple(point for point in evidence.chosen if point not in evidence.breaching)
    if evidence.treated_as and (rule.datapoints_to_alarm is not None or not deciding):
        received = len(evidence.chosen)
        who = f"{_count(received, 'datapoint')} {_was(received)}"
        return f"Threshold Crossed: {who} received for {periods}{_filled(evidence)}."
    return f"Threshold Crossed: {_deciding(rule, state, deciding)}{_filled(evidence)}{_minimum(rule, state)}."


def reason_data(rule: MetricRule, chosen: Sequence[Datapoint], missing: Sequence[Datapoint], now: float) -> str:
    """`StateReasonData`: JSON with the datapoints, newest first."""
    points = sorted([*chosen, *missing], key=lambda point: point.at, reverse=True)
    data = {
        "version": "1.0",
        "queryDate": iso(now),
        **({"startDate": iso(chosen[0].at)} if chosen else {}),
        **({"unit": rule.watch.unit} if rule.watch and rule.watch.unit else {}),
        **({"statistic": rule.watch.statistic} if rule.watch else {}),
        "period": rule.period_s,
        "recentDatapoints": [point.value for point in chosen][-KEPT:],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [_point_data(point) for point in points[:KEPT]],
    }
    return orjson.dumps(data).decode()


def composite_reason(alarm: Alarm, state: AlarmState, trigger: Alarm | None) -> str:
    """`StateReason` of a composite alarm: which child moved it, or that it was created or updated."""
    if trigger is not None:
        at = datetime.fromtimestamp(trigger.standing.transitioned_at, UTC)
        moment = f"{at:%A} {at.day:02d} {at:%B}, {at:%Y %H:%M:%S} UTC"
        return f"{trigger.arn} transitioned to {trigger.standing.state} at {moment}"
    done = "created" if alarm.standing.state is AlarmState.INSUFFICIENT_DATA else "updated"
    return f"{alarm.arn} was {done} and its alarm rule evaluates to {state}"


def composite_reason_data(children: Sequence[Alarm]) -> str:
    """`StateReasonData` of a composite alarm."""
    triggering = [
        {
            "arn": child.arn,
            "state": {"value": child.standing.state, "timestamp": iso(child.standing.transitioned_at)},
        }
        for child in children[:KEPT]
    ]
    return orjson.dumps({"triggeringAlarms": triggering}).decode()


def _deciding(rule: MetricRule, state: AlarmState, deciding: Sequence[Datapoint]) -> str:
    number = len(deciding)
    shown = ", ".join(f"{point.value!r} ({_when(point.at)})" for point in list(reversed(deciding))[:SHOWN])
    relation = f"{'not ' if state is AlarmState.OK else ''}{_WORDS[rule.comparison]} the threshold ({rule.threshold!r})"
    if rule.datapoints_to_alarm is None:
        who = _count(number, "datapoint")
    else:
        who = f"{number} out of the last {rule.evaluation_periods} datapoints"
    if number > SHOWN:
        recent = (
            f"The most recent datapoints which {'did not cross' if state is AlarmState.OK else 'crossed'} the threshold"
        )
        return f"{who} were {relation}. {recent}: [{shown}]"
    return f"{who} [{shown}] {_was(number)} {relation}"


def _minimum(rule: MetricRule, state: AlarmState) -> str:
    if rule.datapoints_to_alarm is None:
        return ""
    if state is AlarmState.ALARM:
        return f" (minimum {_count(rule.needed, 'datapoint')} for OK -> ALARM transition)"
    back = rule.evaluation_periods - rule.needed + 1
    return f" (minimum {_count(back, 'datapoint')} for ALARM -> OK transition)"


def _filled(evidence: Evidence) -> str:
    if not evidence.treated_as:
        return ""
    number = evidence.filled
    who = _count(number, "missing datapoint")
    return f" and {who} {_was(number)} treated as [{_TREATED[evidence.treated_as]}]"


def _point_data(point: Datapoint) -> dict[str, object]:
    data: dict[str, object] = {"timestamp": iso(point.at)}
    if point.samples is not None and point.value is not None:
        data["sampleCount"] = point.samples
    if point.value is not None:
        data["value"] = point.value
    return data


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
