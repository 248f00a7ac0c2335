"""Evaluates composite alarms, children before parents. Rule: pure; a parent never sees a child's outdated state.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from penstock.observe.alarms.composite import Condition, alarms_in, is_true, parse_rule
from penstock.observe.alarms.model import Alarm, AlarmState, CompositeRule, Decision
from penstock.observe.alarms.reason import composite_reason, composite_reason_data


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about an alarm as it was read."""

    alarm: Alarm
    decision: Decision


def composite_verdicts(alarms: Sequence[Alarm], now: float) -> list[Verdict]:
    """Which composite alarms must change, given all alarms of one or more scopes."""
    scopes = dict.fromkeys(alarm.scope for alarm in alarms)
    worlds = [{alarm.name: alarm for alarm in alarms if alarm.scope == scope} for scope in scopes]
    return [verdict for by_name in worlds for verdict in _verdicts(by_name, now)]


def _verdicts(by_name: dict[str, Alarm], now: float) -> list[Verdict]:
    verdicts = []
    for alarm, condition in _children_first(by_name):
        decision = _decide(alarm, condition, by_name)
        if decision:
            verdicts.append(Verdict(alarm, decision))
            standing = replace(alarm.standing, state=decision.state, updated_at=now, transitioned_at=now, by_hand=False)
            by_name[alarm.name] = replace(alarm, standing=standing)
    return verdicts


def _children_first(by_name: Mapping[str, Alarm]) -> list[tuple[Alarm, Condition]]:
    """Composite alarms after those they look at. Alarms in a circle, which are refused when put, are left out."""
    waiting = {
        alarm.name: (alarm, parse_rule(alarm.rule.expression, alarm.scope))
        for alarm in by_name.values()
        if isinstance(alarm.rule, CompositeRule)
    }
    ordered: list[tuple[Alarm, Condition]] = []
    while waiting:
        ready = [name for name, (_, condition) in waiting.items() if not waiting.keys() & set(alarms_in(condition))]
        if not ready:
            break
        ordered += [waiting.pop(name) for name in ready]
    return ordered


def _decide(alarm: Alarm, condition: Condition, by_name: Mapping[str, Alarm]) -> Decision | None:
    children = [by_name[name] for name in dict.fromkeys(alarms_in(condition)) if name in by_name]
    newest = max(children, key=lambda child: child.standing.transitioned_at, default=None)
    moved_at = newest.standing.transitioned_at if newest else 0.0
    standing = alarm.standing
    if standing.by_hand and max(moved_at, alarm.configured_at) <= standing.updated_at:
        return None  # set by hand, and no child has moved since
    states = {child.name: child.standing.state for child in children}
    state = AlarmState.ALARM if is_true(condition, states) else AlarmState.OK
    if state is standing.state:
        return None
    is_new = standing.state is AlarmState.INSUFFICIENT_DATA and not standing.by_hand
    trigger = newest if newest and not is_new and moved_at > alarm.configured_at else None
    return Decision(
        state, composite_reason(alarm, state, trigger), composite_reason_data([trigger] if trigger else children)
    )
