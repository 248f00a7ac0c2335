"""Creating, replacing and deleting alarms. Rule: the whole request is refused before anything is written.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.observe.alarms.check import MAX_ALARMS, check_actions, check_name, check_rule, check_tags, refused
from penstock.observe.alarms.composite import RuleError, alarm_name, alarms_in, parse_rule
from penstock.observe.alarms.history import configured
from penstock.observe.alarms.machine import INITIAL
from penstock.observe.alarms.model import CREATED_REASON, Actions, Alarm, CompositeRule, MetricRule, Standing
from penstock.observe.alarms.records import (
    add_history,
    count_alarms,
    delete_alarm,
    insert_alarm,
    read_alarm,
    read_alarms,
    update_alarm,
)
from penstock.store.database import Connection


def new_alarm(
    scope: Scope,
    name: str,
    rule: MetricRule | CompositeRule,
    actions: Actions,
    *,
    description: str | None,
    tags: Mapping[str, str],
    now: float,
) -> Alarm:
    """The alarm as it is at its creation. Raises `ApiError` for what needs no look at other alarms."""
    check_name(name)
    check_actions(actions)
    check_tags(tags)
    if isinstance(rule, MetricRule):
        check_rule(rule)
    standing = Standing(INITIAL, CREATED_REASON, None, now, now)
    return Alarm(scope, name, rule, actions, standing, now, description, tags)


def put_alarm(connection: Connection, alarm: Alarm) -> None:
    """Create the alarm, or give the one of that name a new configuration; then its state and tags stay as they are."""
    if isinstance(alarm.rule, CompositeRule):
        _check_composite(connection, alarm, alarm.rule)
    existing = read_alarm(connection, alarm.scope, alarm.name)
    if existing is None:
        if count_alarms(connection, alarm.scope) >= MAX_ALARMS:
            raise ApiError("LimitExceeded", f"There are {MAX_ALARMS} alarms already; delete some first.", status=400)
        insert_alarm(connection, alarm)
    elif existing.kind != alarm.kind:
        raise refused(f"The name {alarm.name} belongs to a {existing.kind} already; alarm names are unique.")
    else:
        kept = replace(alarm, standing=existing.standing, tags=existing.tags, revision=existing.revision)
        update_alarm(connection, kept)
    add_history(connection, alarm.scope, configured(alarm, "Update" if existing else "Create", alarm.configured_at))


def delete_alarms(connection: Connection, scope: Scope, names: Sequence[str], now: float) -> None:
    """Delete those that exist; none when a composite alarm that stays depends on one of them."""
    alarms = read_alarms(connection, scope)
    doomed = [alarm for alarm in alarms if alarm.name in names]
    if names and not doomed:
        raise ApiError("ResourceNotFound", f"No alarm is named {', '.join(names)}.")
    if sum(isinstance(alarm.rule, CompositeRule) for alarm in doomed) > 1:
        raise refused("At most one composite alarm can be deleted in one request.")
    for parent in alarms:
        if parent not in doomed:
            _check_spared(parent, doomed)
    for alarm in doomed:
        delete_alarm(connection, alarm)
        add_history(connection, scope, configured(alarm, "Delete", now))


def children_of(alarm: Alarm) -> set[str]:
    """The alarms a composite alarm's rule looks at."""
    return (
        set(alarms_in(parse_rule(alarm.rule.expression, alarm.scope)))
        if isinstance(alarm.rule, CompositeRule)
        else set()
    )


def _check_spared(parent: Alarm, doomed: Sequence[Alarm]) -> None:
    if not isinstance(parent.rule, CompositeRule):
        return
    needed = children_of(parent)
    if parent.rule.suppressor is not None:
        needed.add(alarm_name(parent.rule.suppressor, parent.scope))
    for alarm in doomed:
        if alarm.name in needed:
            raise refused(
                f"Cannot delete {alarm.arn} as there are composite alarm(s) depending on it: {parent.name}. "
                "Change or delete them first."
            )


def _check_composite(connection: Connection, alarm: Alarm, rule: CompositeRule) -> None:
    try:
        children = set(alarms_in(parse_rule(rule.expression, alarm.scope)))
        suppressor = None if rule.suppressor is None else alarm_name(rule.suppressor, alarm.scope)
    except RuleError as error:
        raise refused(f"AlarmRule is invalid: {error}.") from error
    by_name = {other.name: other for other in read_alarms(connection, alarm.scope)}
    wanted = children | ({suppressor} if suppressor is not None else set())
    unknown = sorted(wanted - by_name.keys() - {alarm.name})
    if unknown:
        raise refused(f"Could not save the composite alarm: no alarm is named {', '.join(unknown)}.")
    _check_acyclic(alarm.name, children, by_name)


def _check_acyclic(name: str, children: set[str], by_name: Mapping[str, Alarm]) -> None:
    """An alarm that depends on itself could never be told its state, nor be deleted."""
    seen: set[str] = set()
    waiting = list(children)
    while waiting:
        child = waiting.pop()
        if child == name:
            raise refused(f"AlarmRule is invalid: {name} would depend on itself.")
        if child not in seen:
            seen.add(child)
            waiting += children_of(by_name[child])
