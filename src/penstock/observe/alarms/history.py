"""The lines of an alarm's history, in AWS's words. Rule: pure; what was not done is not said to be done."""

from typing import Any

import orjson

from penstock.observe.alarms.model import Alarm, Standing
from penstock.observe.alarms.records import HistoryItem

MAX_SUMMARY, MAX_DATA = 255, 4095
_DONE = {"Create": "created", "Update": "updated", "Delete": "deleted"}


def configured(alarm: Alarm, action: str, at: float) -> HistoryItem:
    """The alarm was created, updated or deleted: `action` is `Create`, `Update` or `Delete`."""
    data = {"type": action, "version": "1.0", "alarmArn": alarm.arn, "alarmName": alarm.name}
    return _item(alarm, at, "ConfigurationUpdate", f'Alarm "{alarm.name}" {_DONE[action]}', data)


def moved(alarm: Alarm, old: Standing, new: Standing) -> HistoryItem:
    """The state changed."""
    data = {"version": "1.0", "oldState": _standing(old), "newState": _standing(new)}
    return _item(alarm, new.updated_at, "StateUpdate", f"Alarm updated from {old.state} to {new.state}", data)


def undelivered(alarm: Alarm, target: str, new: Standing) -> HistoryItem:
    """An action that AWS would have taken."""
    why = "Penstock does not deliver alarm actions yet"
    data = {
        "actionState": "NotExecuted",
        "notificationResource": target,
        "stateUpdateTimestamp": new.updated_at,
        "error": why,
    }
    return _item(alarm, new.updated_at, "Action", f"Did not execute action {target}: {why}", data)


def _standing(standing: Standing) -> dict[str, Any]:
    shown: dict[str, Any] = {"stateValue": standing.state, "stateReason": standing.reason}
    if standing.reason_data is not None:
        shown["stateReasonData"] = orjson.loads(standing.reason_data)
    return shown


def _item(alarm: Alarm, at: float, kind: str, summary: str, data: dict[str, Any]) -> HistoryItem:
    text = orjson.dumps(data).decode()
    if len(text) > MAX_DATA:  # the reason data are what is long; the reasons in words stay
        for state in ("oldState", "newState"):
            data.get(state, {}).pop("stateReasonData", None)
        text = orjson.dumps(data).decode()[:MAX_DATA]
    return HistoryItem(alarm.name, alarm.kind, at, kind, summary[:MAX_SUMMARY], text)
