"""The tables of logs, and what is written to groups, streams and chunks.

Rule: deleting is taking the name away at once and leaving the chunks to the sweeper, in small steps; a name used again
is another id, so old events never show up in a new group.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.observe.logs.chunks import Chunk
from penstock.observe.logs.model import LogGroup, LogStream
from penstock.store.database import METADATA, Connection

GROUPS = sa.Table(
    "log_groups",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("retention_days", sa.Integer),
    sa.Column("kms_key_id", sa.String),
    sa.Column("log_class", sa.String, nullable=False),
    sa.Column("deletion_protection", sa.Boolean, nullable=False),
    sa.Column("stored_bytes", sa.BigInteger, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.UniqueConstraint("account", "region", "name"),
    sqlite_autoincrement=True,
)
STREAMS = sa.Table(
    "log_streams",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("group_id", sa.Integer, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("first_ms", sa.BigInteger),
    sa.Column("last_ms", sa.BigInteger),
    sa.Column("ingested_ms", sa.BigInteger),
    sa.UniqueConstraint("group_id", "name"),
    sa.Index("log_streams_by_last_event", "group_id", "last_ms"),
    sqlite_autoincrement=True,
)
CHUNKS = sa.Table(
    "log_chunks",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("group_id", sa.Integer, nullable=False),
    sa.Column("stream_id", sa.Integer, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("ingested_ms", sa.BigInteger, nullable=False),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    # Reading forwards goes by the first event, backwards by the last; see reading.py.
    sa.Index("log_chunks_of_group", "group_id", "first_ms"),
    sa.Index("log_chunks_of_group_back", "group_id", "last_ms"),
    sa.Index("log_chunks_of_stream", "stream_id", "first_ms"),
    sa.Index("log_chunks_of_stream_back", "stream_id", "last_ms"),
    sqlite_autoincrement=True,
)
TRASH = sa.Table(
    "log_trash",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("group_id", sa.Integer, nullable=False),
    sa.Column("stream_id", sa.Integer),
)
"""Groups, or single streams, whose chunks wait for the sweeper."""


def find_group(connection: Connection, scope: Scope, name: str) -> LogGroup | None:
    """The group of that name."""
    row = connection.execute(sa.select(GROUPS).where(_in(scope), GROUPS.c.name == name)).first()
    return _group(row) if row else None


def insert_group(connection: Connection, scope: Scope, name: str, created_ms: int, **settings: Any) -> int:
    """A new group's id; `settings` are columns."""
    values = {"log_class": "STANDARD", "deletion_protection": False, "stored_bytes": 0, "tags": {}, **settings}
    result = connection.execute(
        sa.insert(GROUPS).values(account=scope.account, region=scope.region, name=name, created_ms=created_ms, **values)
    )
    return _new_id(result)


def update_group(connection: Connection, group_id: int, **settings: Any) -> None:
    """Change columns of a group."""
    connection.execute(sa.update(GROUPS).where(GROUPS.c.id == group_id).values(**settings))


def delete_group(connection: Connection, group_id: int) -> None:
    """Take the group away; its streams and chunks wait for the sweeper."""
    connection.execute(sa.delete(GROUPS).where(GROUPS.c.id == group_id))
    connection.execute(sa.insert(TRASH).values(group_id=group_id))


def list_groups(
    connection: Connection, scope: Scope, *, after: str, limit: int, where: Mapping[str, Any]
) -> list[LogGroup]:
    """Groups by name, after a name. `where` may hold `prefix`, `substring`, `names` and `classes`."""
    query = sa.select(GROUPS).where(_in(scope), GROUPS.c.name > after).order_by(GROUPS.c.name).limit(limit)
    if "prefix" in where:
        query = query.where(_starts_with(GROUPS.c.name, where["prefix"]))
    if "substring" in where:
        query = query.where(sa.func.instr(GROUPS.c.name, where["substring"]) > 0)
    if "names" in where:
        query = query.where(GROUPS.c.name.in_(where["names"]))
    if "classes" in where:
        query = query.where(GROUPS.c.log_class.in_(where["classes"]))
    return [_group(row) for row in connection.execute(query)]


def find_stream(connection: Connection, group_id: int, name: str) -> LogStream | None:
    """The stream of that name."""
    row = connection.execute(sa.select(STREAMS).where(STREAMS.c.group_id == group_id, STREAMS.c.name == name)).first()
    return _stream(row) if row else None


def insert_stream(connection: Connection, group_id: int, name: str, created_ms: int) -> int:
    """A new, empty stream's id."""
    return _new_id(connection.execute(sa.insert(STREAMS).values(group_id=group_id, name=name, created_ms=created_ms)))


def delete_stream(connection: Connection, group_id: int, stream_id: int) -> None:
    """Take the stream away; its chunks wait for the sweeper."""
    connection.execute(sa.delete(STREAMS).where(STREAMS.c.id == stream_id))
    connection.execute(sa.insert(TRASH).values(group_id=group_id, stream_id=stream_id))


def list_streams_by_name(
    connection: Connection, group_id: int, *, prefix: str, after: str | None, limit: int, descending: bool
) -> list[LogStream]:
    """Streams by name, after a name."""
    query = sa.select(STREAMS).where(STREAMS.c.group_id == group_id, _starts_with(STREAMS.c.name, prefix))
    if after is not None:
        query = query.where(STREAMS.c.name < after if descending else STREAMS.c.name > after)
    query = query.order_by(STREAMS.c.name.desc() if descending else STREAMS.c.name).limit(limit)
    return [_stream(row) for row in connection.execute(query)]


def list_streams_by_last_event(
    connection: Connection, group_id: int, *, after: tuple[int, int] | None, limit: int, descending: bool
) -> list[LogStream]:
    """Streams by the time of their last event, after a (time, id); a stream without events counts as time 0."""
    last = sa.func.coalesce(STREAMS.c.last_ms, 0)
    place = sa.tuple_(last, STREAMS.c.id)
    query = sa.select(STREAMS).where(STREAMS.c.group_id == group_id)
    if after is not None:
        query = query.where(place < after if descending else place > after)
    order = (last.desc(), STREAMS.c.id.desc()) if descending else (last, STREAMS.c.id)
    return [_stream(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def stream_names(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Names by id, for showing events."""
    rows = connection.execute(sa.select(STREAMS.c.id, STREAMS.c.name).where(STREAMS.c.id.in_(set(ids))))
    return {row.id: row.name for row in rows}


def insert_chunks(connection: Connection, group_id: int, stream_id: int, chunks: list[Chunk], ingested_ms: int) -> int:
    """Store events and keep the stream's and group's totals. The last chunk's id."""
    last_id = 0
    for chunk in chunks:
        result = connection.execute(
            sa.insert(CHUNKS).values(
                group_id=group_id,
                stream_id=stream_id,
                first_ms=chunk.first_ms,
                last_ms=chunk.last_ms,
                ingested_ms=ingested_ms,
                events=chunk.count,
                size=chunk.size,
                data=chunk.data,
            )
        )
        last_id = _new_id(result)
    first_ms, last_ms = min(chunk.first_ms for chunk in chunks), max(chunk.last_ms for chunk in chunks)
    connection.execute(
        sa.update(STREAMS)
        .where(STREAMS.c.id == stream_id)
        .values(
            first_ms=sa.func.min(sa.func.coalesce(STREAMS.c.first_ms, first_ms), first_ms),
            last_ms=sa.func.max(sa.func.coalesce(STREAMS.c.last_ms, last_ms), last_ms),
            ingested_ms=ingested_ms,
        )
    )
    size = sum(chunk.size for chunk in chunks)
    update_group(connection, group_id, stored_bytes=GROUPS.c.stored_bytes + size)
    return last_id


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(GROUPS.c.account == scope.account, GROUPS.c.region == scope.region)


def _starts_with(column: sa.Column[Any], prefix: str) -> sa.ColumnElement[bool]:
    # A range, not LIKE: it uses the index, respects case and needs no escaping.
    return sa.and_(column >= prefix, column < prefix + "\U0010ffff")


def _new_id(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def _group(row: Any) -> LogGroup:
    return LogGroup(
        id=row.id,
        scope=Scope(row.account, row.region),
        name=row.name,
        created_ms=row.created_ms,
        retention_days=row.retention_days,
        kms_key_id=row.kms_key_id,
        log_class=row.log_class,
        deletion_protection=row.deletion_protection,
        stored_bytes=row.stored_bytes,
        tags=row.tags,
    )


def _stream(row: Any) -> LogStream:
    return LogStream(row.id, row.name, row.created_ms, row.first_ms, row.last_ms, row.ingested_ms)
