"""Deletes what is past its retention or belongs to deleted groups and streams, a few chunks at a time.

Rule: a step is one short transaction, so that sweeping millions of events delays nobody's write.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from penstock.core.clock import Clock
from penstock.observe.logs.model import DAY_MS
from penstock.observe.logs.records import CHUNKS, GROUPS, STREAMS, TRASH
from penstock.store.database import Connection, Store

STEP = 500
"""Chunks or streams deleted in one transaction."""
PAUSE_S = 0.02


class Sweeper:
    """One `sweep` deletes everything that is due."""

    def __init__(self, store: Store, clock: Clock, step: int = STEP):
        """`step` rows go in one transaction."""
        self._store = store
        self._clock = clock
        self._step = step

    async def sweep(self) -> None:
        """Until nothing is due."""
        while await self._store.read(self._is_due) and await self._store.write(self._sweep_some):
            await self._clock.pause(PAUSE_S)

    def _is_due(self, connection: Connection) -> bool:
        """Asked on a reader first: most of the time nothing is due, and a write would wait for a disk flush."""
        if connection.execute(sa.select(TRASH.c.id).limit(1)).first():
            return True
        return self._expired(connection, 1) != []

    def _sweep_some(self, connection: Connection) -> bool:
        trash = connection.execute(sa.select(TRASH).order_by(TRASH.c.id).limit(1)).first()
        if trash:
            self._empty(connection, trash)
            return True
        return self._expire(connection)

    def _empty(self, connection: Connection, trash: Any) -> None:
        one_stream = trash.stream_id is not None
        where = CHUNKS.c.stream_id == trash.stream_id if one_stream else CHUNKS.c.group_id == trash.group_id
        chunks = connection.execute(
            sa.select(CHUNKS.c.id, CHUNKS.c.group_id, CHUNKS.c.size).where(where).limit(self._step)
        ).all()
        self._delete(connection, chunks)
        if chunks:
            return
        if not one_stream:
            some = sa.select(STREAMS.c.id).where(STREAMS.c.group_id == trash.group_id).limit(self._step)
            if connection.execute(sa.delete(STREAMS).where(STREAMS.c.id.in_(some))).rowcount:
                return
        connection.execute(sa.delete(TRASH).where(TRASH.c.id == trash.id))

    def _expire(self, connection: Connection) -> bool:
        chunks = self._expired(connection, self._step)
        self._delete(connection, chunks)
        return bool(chunks)

    def _expired(self, connection: Connection, limit: int) -> Sequence[Any]:
        """Expired chunks of the first group that has any. Group by group, because SQLite would scan all chunks to
        join them with their groups' retentions.
        """
        now_ms = int(self._clock.now() * 1000)
        kept = sa.select(GROUPS.c.id, GROUPS.c.retention_days).where(GROUPS.c.retention_days.is_not(None))
        for group in connection.execute(kept).all():
            chunks = connection.execute(_before(group.id, now_ms - group.retention_days * DAY_MS).limit(limit)).all()
            if chunks:
                return chunks
        return []

    @staticmethod
    def _delete(connection: Connection, chunks: Sequence[Any]) -> None:
        if not chunks:
            return
        connection.execute(sa.delete(CHUNKS).where(CHUNKS.c.id.in_([chunk.id for chunk in chunks])))
        sizes: dict[int, int] = {}
        for chunk in chunks:
            sizes[chunk.group_id] = sizes.get(chunk.group_id, 0) + chunk.size
        for group_id, size in sizes.items():
            connection.execute(
                sa.update(GROUPS)
                .where(GROUPS.c.id == group_id)
                .values(stored_bytes=sa.func.max(0, GROUPS.c.stored_bytes - size))
            )


def _before(group_id: int, oldest_ms: int) -> sa.Select[Any]:
    return sa.select(CHUNKS.c.id, CHUNKS.c.group_id, CHUNKS.c.size).where(
        CHUNKS.c.group_id == group_id, CHUNKS.c.last_ms < oldest_ms
    )
