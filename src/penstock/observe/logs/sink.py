"""From memory to the store: the room's side of `observe.ports.LogSink`.

Rule: `append` is cheap and safe anywhere; a flush is one transaction; a flush that fails puts its lines back and tries
again later, so a full disk costs lines only when memory is full too.
"""

import asyncio
import logging
from collections.abc import Sequence

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.observe.logs.buffer import Batch, Buffer
from penstock.observe.logs.chunks import Chunk, pack, split_message
from penstock.observe.logs.records import find_group, find_stream, insert_chunks, insert_group, insert_stream
from penstock.observe.ports import LogLine, MetricSink
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)

MEMORY_BYTES = 64 * 1024 * 1024
FLUSH_BYTES = 8 * 1024 * 1024
"""One transaction takes about this much, so that a backlog does not hold the writer for long."""
SLOWEST_RETRY_S = 10.0

Packed = list[tuple[Scope, str, str, list[Chunk]]]


class BufferedLogSink:
    """Lines wait in memory for `flush`, which a loop calls every half second and every reader before it reads."""

    def __init__(self, store: Store, clock: Clock, metrics: MetricSink | None = None, limit: int = MEMORY_BYTES):
        """`metrics` hears of lost lines; `limit` is the memory lines may take, in bytes."""
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._buffer = Buffer(limit)
        self._flushing: asyncio.Task[None] | None = None
        self._failures = 0
        self._retry_at = 0.0

    def append(self, scope: Scope, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Add events in order; group and stream are created when they do not exist. Never raises, never waits."""
        try:
            if lines:
                self._buffer.add(scope, group, stream, lines)
        except Exception:
            log.exception("lines of %s could not be taken in", group)

    async def flush(self) -> None:
        """Everything appended before this call is stored when it returns, unless the store refuses writes."""
        if self._flushing is not None:
            await asyncio.shield(self._flushing)  # it may have begun before our caller's lines came
        if self._flushing is None and self._buffer and self._clock.monotonic() >= self._retry_at:
            # A task of its own: a reader that goes away must not cancel what others' lines depend on.
            self._flushing = asyncio.get_running_loop().create_task(self._flush())
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def close(self) -> None:
        """The last flush: tries once more whatever the waiting time, and says what is lost."""
        self._retry_at = 0.0
        await self.flush()
        if self._buffer:
            log.error(
                "the server stops with log lines it could not store: about %d KB are lost", self._buffer.cost >> 10
            )

    async def _flush(self) -> None:
        try:
            # What comes in meanwhile waits for the next flush: under load there is always more, and going on as long
            # as there is made a transaction of every few lines and cost a third of the processor.
            left = len(self._buffer)
            while left > 0 and (batches := self._buffer.take(FLUSH_BYTES, left)):
                left -= len(batches)
                if not await self._stored(batches):
                    break
        finally:
            self._flushing = None
            self._tell_losses()

    async def _stored(self, batches: list[Batch]) -> bool:
        now_ms = int(self._clock.now() * 1000)
        try:
            packed = await asyncio.to_thread(_pack, batches)
            await self._store.write(lambda connection: _insert(connection, packed, now_ms))
        except Exception as error:  # noqa: BLE001 - whatever it was, the lines are kept and tried again
            self._buffer.put_back(batches)
            self._failed(error)
            return False
        self._buffer.done(batches)
        if self._failures:
            log.warning("log lines are stored again after %d failed attempts", self._failures)
        self._failures, self._retry_at = 0, 0.0
        return True

    def _failed(self, error: Exception) -> None:
        if not self._failures:
            log.error("log lines cannot be stored, they wait in memory (up to %d MB): %s", MEMORY_BYTES >> 20, error)
        self._failures += 1
        self._retry_at = self._clock.monotonic() + min(SLOWEST_RETRY_S, 0.25 * 2 ** min(self._failures, 10))

    def _tell_losses(self) -> None:
        for (scope, group), count in self._buffer.take_losses().items():
            log.error(
                "%d lines of log group %s were dropped: memory was full and the store did not keep up", count, group
            )
            if self._metrics is not None:
                dimensions = (("LogGroupName", group),)
                self._metrics.record(
                    scope, "Penstock", "LogLinesDropped", dimensions, float(count), "Count", self._clock.now()
                )


def _pack(batches: list[Batch]) -> Packed:
    streams: dict[tuple[Scope, str, str], list[tuple[int, str]]] = {}
    for batch in batches:
        events = streams.setdefault((batch.scope, batch.group, batch.stream), [])
        for line in batch.lines:
            at_ms = int(line.at * 1000)
            events.extend((at_ms, piece) for piece in split_message(line.message))
    return [(*key, pack(events)) for key, events in streams.items()]


def _insert(connection: Connection, packed: Packed, now_ms: int) -> None:
    for scope, group_name, stream_name, chunks in packed:
        group = find_group(connection, scope, group_name)
        group_id = group.id if group else insert_group(connection, scope, group_name, now_ms)
        stream = find_stream(connection, group_id, stream_name)
        stream_id = stream.id if stream else insert_stream(connection, group_id, stream_name, now_ms)
        insert_chunks(connection, group_id, stream_id, chunks, now_ms)
