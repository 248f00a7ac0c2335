"""Alarm states for rooms above: what a deployment looks at. Rule: an alarm that is not there is None, never OK."""

from collections.abc import Iterable

from penstock.core.context import Scope
from penstock.observe.alarms.model import AlarmState
from penstock.observe.alarms.records import read_standings
from penstock.store.database import Connection


def read_states(connection: Connection, scope: Scope, names: Iterable[str]) -> dict[str, AlarmState | None]:
    """The committed state of each named alarm, metric or composite; None for a name that no alarm has."""
    wanted = list(dict.fromkeys(names))
    found = read_standings(connection, scope, wanted)
    return {name: AlarmState(found[name]) if name in found else None for name in wanted}
