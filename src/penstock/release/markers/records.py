"""The markers' table. Rule: rows keep the order in which they were written, which also orders equal instants."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.release.markers.model import Marker, MarkerStatus
from penstock.store.database import METADATA, Connection

MARKERS = sa.Table(
    "markers",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("component", sa.String, nullable=False),
    sa.Column("environment", sa.String, nullable=False),
    sa.Column("alias", sa.String),
    sa.Column("name", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("markers_time", "account", "region", "opened_at"),
    sa.Index("markers_component", "account", "region", "component", "alias"),
)
COLUMNS = ("id", "component", "environment", "alias", "name", "status", "opened_at", "closed_at")
OPEN = (MarkerStatus.PENDING.value, MarkerStatus.RUNNING.value)


def write_marker(connection: Connection, marker: Marker) -> None:
    """Insert the marker, or replace it in its place."""
    body = {key: value for key, value in asdict(marker).items() if key not in (*COLUMNS, "scope")}
    row = {name: getattr(marker, name) for name in COLUMNS}
    changed = connection.execute(sa.update(MARKERS).where(MARKERS.c.id == marker.id).values(**row, body=body))
    if not changed.rowcount:
        owner = {"account": marker.scope.account, "region": marker.scope.region}
        connection.execute(sa.insert(MARKERS).values(**owner, **row, body=body))


def read_marker(connection: Connection, scope: Scope, marker_id: str) -> Marker | None:
    """One marker by its id."""
    row = connection.execute(_select(scope).where(MARKERS.c.id == marker_id)).mappings().one_or_none()
    return _marker(row) if row else None


def read_named(connection: Connection, scope: Scope, name: str) -> Marker | None:
    """The newest marker of this name: a pipeline may use a name again."""
    query = _select(scope).where(MARKERS.c.name == name).order_by(MARKERS.c.sequence.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return _marker(row) if row else None


def read_open(connection: Connection, scope: Scope, component: str) -> list[Marker]:
    """Open markers of a component, newest first."""
    query = _select(scope).where(MARKERS.c.component == component, MARKERS.c.status.in_(OPEN))
    return [_marker(row) for row in connection.execute(query.order_by(MARKERS.c.sequence.desc())).mappings()]


def read_history(connection: Connection, scope: Scope, component: str, alias: str) -> list[Marker]:
    """All markers of one alias, oldest first."""
    query = _select(scope).where(MARKERS.c.component == component, MARKERS.c.alias == alias)
    return [_marker(row) for row in connection.execute(query.order_by(MARKERS.c.sequence)).mappings()]


def read_timeline(
    connection: Connection,
    scope: Scope,
    *,
    since: float,
    component: str | None = None,
    environment: str | None = None,
    limit: int = 100,
) -> list[Marker]:
    """What changed since an instant, newest first: opened or closed after it, or still open."""
    query = _select(scope).where(
        sa.or_(MARKERS.c.opened_at >= since, MARKERS.c.closed_at >= since, MARKERS.c.closed_at.is_(None))
    )
    if component is not None:
        query = query.where(MARKERS.c.component == component)
    if environment is not None:
        query = query.where(MARKERS.c.environment == environment)
    query = query.order_by(MARKERS.c.opened_at.desc(), MARKERS.c.sequence.desc()).limit(limit)
    return [_marker(row) for row in connection.execute(query).mappings()]


def _select(scope: Scope) -> sa.Select[Any]:
    return sa.select(MARKERS).where(MARKERS.c.account == scope.account, MARKERS.c.region == scope.region)


def _marker(row: Mapping[Any, Any]) -> Marker:
    body = dict(row["body"])
    shifts = tuple((at, weights) for at, weights in body.pop("shifts", ()))
    known = {name: row[name] for name in COLUMNS} | {"status": MarkerStatus(row["status"])}
    return Marker(scope=Scope(row["account"], row["region"]), shifts=shifts, **known, **body)
