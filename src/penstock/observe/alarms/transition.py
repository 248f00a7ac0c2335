"""Moves an alarm's state: row, history and revision in one transaction. Rule: a stale decision changes nothing."""

from dataclasses import replace

from penstock.observe.alarms.history import moved, undelivered
from penstock.observe.alarms.machine import Mover, may_move
from penstock.observe.alarms.model import Alarm, AlarmState, AlarmStateChanged, Standing
from penstock.observe.alarms.records import add_history, update_alarm
from penstock.store.database import Connection


def move(
    connection: Connection,
    alarm: Alarm,
    state: AlarmState,
    reason: str,
    reason_data: str | None,
    mover: Mover,
    now: float,
) -> AlarmStateChanged | None:
    """Write the new state of `alarm` as it was read. None when it has been changed since, or nothing changes.

    The caller publishes the fact once the transaction is committed.
    """
    old = alarm.standing
    if not may_move(old.state, state, mover):
        return None
    changes = state is not old.state
    transitioned_at = now if changes else old.transitioned_at
    new = Standing(state, reason, reason_data, now, transitioned_at, by_hand=mover is Mover.BY_HAND)
    if not update_alarm(connection, replace(alarm, standing=new)):
        return None
    if not changes:
        return None
    add_history(connection, alarm.scope, moved(alarm, old, new))
    for target in alarm.actions.on(state) if alarm.actions.enabled else ():
        add_history(connection, alarm.scope, undelivered(alarm, target, new))
    return AlarmStateChanged(alarm.scope, alarm.name, alarm.arn, old.state, state, reason, now)
