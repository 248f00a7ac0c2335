"""Small changes to existing alarms: state by hand, actions on and off, tags. Rule: one transaction each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from penstock.core.arns import parse_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.observe.alarms.check import check_tags
from penstock.observe.alarms.machine import Mover
from penstock.observe.alarms.model import Alarm, AlarmState, AlarmStateChanged
from penstock.observe.alarms.records import read_alarm, update_alarm
from penstock.observe.alarms.transition import move
from penstock.store.database import Connection


def set_state(
    connection: Connection, scope: Scope, name: str, state: AlarmState, reason: str, reason_data: str | None, now: float
) -> AlarmStateChanged | None:
    """`SetAlarmState`. Raises `ApiError`."""
    alarm = read_alarm(connection, scope, name)
    if alarm is None:
        raise ApiError("ResourceNotFound", f"No alarm is named {name}.")
    return move(connection, alarm, state, reason, reason_data or None, Mover.BY_HAND, now)


def check_reason_data(reason_data: str | None) -> None:
    """It must be JSON. Raises `ApiError`."""
    if reason_data:
        try:
            orjson.loads(reason_data)
        except orjson.JSONDecodeError as error:
            raise ApiError("InvalidFormat", f"StateReasonData is not valid JSON: {error}.") from error


def switch_actions(connection: Connection, scope: Scope, names: Sequence[str], *, enabled: bool) -> None:
    """Turn the actions of the named alarms on or off; unknown names are passed over, as in AWS."""
    for name in dict.fromkeys(names):
        alarm = read_alarm(connection, scope, name)
        if alarm is not None and alarm.actions.enabled != enabled:
            update_alarm(connection, replace(alarm, actions=replace(alarm.actions, enabled=enabled)))


def find_by_arn(connection: Connection, scope: Scope, resource: str) -> Alarm:
    """The alarm with this ARN. Raises `ApiError`."""
    arn = parse_arn(resource)
    if arn is None or arn.service != "cloudwatch":
        raise ApiError("InvalidParameterValue", f"{resource} is not the ARN of a CloudWatch resource.")
    name = arn.resource.removeprefix("alarm:")
    alarm = read_alarm(connection, scope, name) if arn.scope == scope and name != arn.resource else None
    if alarm is None:
        fields = {"ResourceType": "alarm", "ResourceId": resource}
        raise ApiError("ResourceNotFoundException", f"No alarm has the ARN {resource}.", fields=fields)
    return alarm


def tag(connection: Connection, scope: Scope, resource: str, tags: Mapping[str, str]) -> None:
    """Add or replace tags."""
    alarm = find_by_arn(connection, scope, resource)
    together = {**alarm.tags, **tags}
    check_tags(together, "InvalidParameterValue")
    update_alarm(connection, replace(alarm, tags=together))


def untag(connection: Connection, scope: Scope, resource: str, keys: Sequence[str]) -> None:
    """Remove tags; absent keys are passed over."""
    alarm = find_by_arn(connection, scope, resource)
    update_alarm(connection, replace(alarm, tags={key: value for key, value in alarm.tags.items() if key not in keys}))
