"""The wire operations that change alarms a little: state by hand, actions on and off, tags.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from penstock.core.context import RequestContext
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.alarms.change import check_reason_data, find_by_arn, set_state, switch_actions, tag, untag
from penstock.observe.alarms.model import AlarmState
from penstock.store.database import Connection

T = TypeVar("T")


class AlarmsRoom(Protocol):
    """What these operations need of the room."""

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def write(self, work: Callable[[Connection], T]) -> T: ...

    def now(self) -> float: ...


def operations(room: AlarmsRoom) -> dict[str, Operation]:
    """The operations, bound to the room."""

    async def set_alarm_state(context: RequestContext, params: Params) -> Result:
        check_reason_data(params.get("StateReasonData"))
        name, state = params["AlarmName"], AlarmState(params["StateValue"])
        reason, data, now = params["StateReason"], params.get("StateReasonData"), room.now()
        await room.write(lambda connection: set_state(connection, context.scope, name, state, reason, data, now))
        return {}

    async def enable(context: RequestContext, params: Params) -> Result:
        names = params["AlarmNames"]
        await room.write(lambda connection: switch_actions(connection, context.scope, names, enabled=True))
        return {}

    async def disable(context: RequestContext, params: Params) -> Result:
        names = params["AlarmNames"]
        await room.write(lambda connection: switch_actions(connection, context.scope, names, enabled=False))
        return {}

    async def tag_resource(context: RequestContext, params: Params) -> Result:
        tags = {member["Key"]: member["Value"] for member in params["Tags"]}
        await room.write(lambda connection: tag(connection, context.scope, params["ResourceARN"], tags))
        return {}

    async def untag_resource(context: RequestContext, params: Params) -> Result:
        keys = params["TagKeys"]
        await room.write(lambda connection: untag(connection, context.scope, params["ResourceARN"], keys))
        return {}

    async def list_tags(context: RequestContext, params: Params) -> Result:
        resource = params["ResourceARN"]
        alarm = await room.read(lambda connection: find_by_arn(connection, context.scope, resource))
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(alarm.tags.items())]}

    return {
        "SetAlarmState": set_alarm_state,
        "EnableAlarmActions": enable,
        "DisableAlarmActions": disable,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
        "ListTagsForResource": list_tags,
    }
