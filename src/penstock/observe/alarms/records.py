"""The alarms' tables and SQL. Rule: functions take a `Connection`; a state change and its history row go together."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.observe.alarms.model import (
    Actions,
    Alarm,
    AlarmState,
    Comparison,
    CompositeRule,
    MetricRule,
    Missing,
    Standing,
    Watch,
)
from penstock.store.database import METADATA, Connection

ALARMS = sa.Table(
    "alarms",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("rule", sa.JSON, nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("configured_at", sa.Float, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("reason_data", sa.String),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("transitioned_at", sa.Float, nullable=False),
    sa.Column("by_hand", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
HISTORY = sa.Table(
    "alarm_history",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("alarm", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("item", sa.String, nullable=False),
    sa.Column("summary", sa.String, nullable=False),
    sa.Column("data", sa.String, nullable=False),
    sa.Index("alarm_history_by_alarm", "account", "region", "alarm", "id"),
    sa.Index("alarm_history_at", "at"),
)
HISTORY_KEPT_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One line of an alarm's history."""

    alarm: str
    kind: str
    at: float
    item: str
    """`ConfigurationUpdate`, `StateUpdate` or `Action`."""
    summary: str
    data: str
    id: int = 0


def read_alarm(connection: Connection, scope: Scope, name: str) -> Alarm | None:
    """The alarm, or None."""
    row = connection.execute(sa.select(ALARMS).where(_is(scope), ALARMS.c.name == name)).one_or_none()
    return None if row is None else _alarm(row)


def read_alarms(connection: Connection, scope: Scope | None = None) -> list[Alarm]:
    """All alarms of a scope, or of all, by name."""
    query = sa.select(ALARMS).order_by(ALARMS.c.name)
    return [_alarm(row) for row in connection.execute(query if scope is None else query.where(_is(scope)))]


def count_alarms(connection: Connection, scope: Scope) -> int:
    """How many alarms the scope has."""
    return connection.execute(sa.select(sa.func.count()).select_from(ALARMS).where(_is(scope))).scalar_one()


def insert_alarm(connection: Connection, alarm: Alarm) -> None:
    """A new alarm."""
    connection.execute(sa.insert(ALARMS).values(**_values(alarm)))


def update_alarm(connection: Connection, alarm: Alarm) -> bool:
    """Replace the alarm if it still has `alarm.revision`, which grows by one. False: someone else wrote meanwhile."""
    values = {**_values(alarm), "revision": alarm.revision + 1}
    same = sa.and_(_is(alarm.scope), ALARMS.c.name == alarm.name, ALARMS.c.revision == alarm.revision)
    return connection.execute(sa.update(ALARMS).where(same).values(**values)).rowcount == 1


def delete_alarm(connection: Connection, alarm: Alarm) -> None:
    """Remove the alarm; its history stays."""
    connection.execute(sa.delete(ALARMS).where(_is(alarm.scope), ALARMS.c.name == alarm.name))


def add_history(connection: Connection, scope: Scope, item: HistoryItem) -> None:
    """Write a line of history, and drop what is older than AWS keeps."""
    values = dataclasses.asdict(item)
    del values["id"]
    connection.execute(sa.insert(HISTORY).values(account=scope.account, region=scope.region, **values))
    connection.execute(sa.delete(HISTORY).where(HISTORY.c.at < item.at - HISTORY_KEPT_S))


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which history is asked for. `after` is the id of the last line already seen."""

    alarm: str | None
    kinds: frozenset[str]
    item: str | None
    start: float | None
    end: float | None
    newest_first: bool
    after: int | None
    limit: int


def read_history(connection: Connection, scope: Scope, query: HistoryQuery) -> list[HistoryItem]:
    """The lines asked for."""
    table = HISTORY.c
    conditions = [table.account == scope.account, table.region == scope.region, table.kind.in_(query.kinds)]
    if query.alarm is not None:
        conditions.append(table.alarm == query.alarm)
    if query.item is not None:
        conditions.append(table.item == query.item)
    if query.start is not None:
        conditions.append(table.at >= query.start)
    if query.end is not None:
        conditions.append(table.at <= query.end)
    if query.after is not None:
        conditions.append(table.id < query.after if query.newest_first else table.id > query.after)
    order = table.id.desc() if query.newest_first else table.id.asc()
    rows = connection.execute(sa.select(HISTORY).where(*conditions).order_by(order).limit(query.limit))
    return [HistoryItem(row.alarm, row.kind, row.at, row.item, row.summary, row.data, row.id) for row in rows]


def read_standings(connection: Connection, scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """State by name of the alarms that exist."""
    query = sa.select(ALARMS.c.name, ALARMS.c.state).where(_is(scope), ALARMS.c.name.in_(names))
    return {row.name: row.state for row in connection.execute(query)}


def _is(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(ALARMS.c.account == scope.account, ALARMS.c.region == scope.region)


def _values(alarm: Alarm) -> dict[str, Any]:
    return {
        "account": alarm.scope.account,
        "region": alarm.scope.region,
        "name": alarm.name,
        "kind": alarm.kind,
        "rule": _rule_values(alarm.rule),
        "actions": dataclasses.asdict(alarm.actions),
        "description": alarm.description,
        "tags": dict(alarm.tags),
        "configured_at": alarm.configured_at,
        **dataclasses.asdict(alarm.standing),
        "revision": alarm.revision,
    }


def _rule_values(rule: MetricRule | CompositeRule) -> dict[str, Any]:
    if isinstance(rule, CompositeRule):
        return dataclasses.asdict(rule)
    watch = None if rule.watch is None else dataclasses.asdict(rule.watch)
    plain = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
    return {**plain, "watch": watch, "queries": [dict(query) for query in rule.queries]}


def _alarm(row: sa.Row[Any]) -> Alarm:
    return Alarm(
        scope=Scope(row.account, row.region),
        name=row.name,
        rule=CompositeRule(**row.rule) if row.kind == "CompositeAlarm" else _metric_rule(row.rule),
        actions=_actions(row.actions),
        standing=Standing(
            AlarmState(row.state), row.reason, row.reason_data, row.updated_at, row.transitioned_at, row.by_hand
        ),
        configured_at=row.configured_at,
        description=row.description,
        tags=row.tags,
        revision=row.revision,
    )


def _actions(values: Mapping[str, Any]) -> Actions:
    targets = {key: tuple(value) for key, value in values.items() if key != "enabled"}
    return Actions(enabled=values["enabled"], **targets)


def _metric_rule(values: Mapping[str, Any]) -> MetricRule:
    watch = values["watch"]
    if watch is not None:
        dimensions = tuple((name, value) for name, value in watch["dimensions"])
        watch = Watch(**{**watch, "dimensions": dimensions})
    missing = None if values["missing"] is None else Missing(values["missing"])
    queries = tuple(values["queries"])
    comparison = Comparison(values["comparison"])
    return MetricRule(**{**values, "comparison": comparison, "watch": watch, "queries": queries, "missing": missing})
