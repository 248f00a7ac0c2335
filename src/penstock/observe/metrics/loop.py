"""Copies changed cells to the store once a real second. Rule: a kill loses at most what came since the last copy.

A copy that fails (a full disk) is tried again with everything that changed meanwhile; recording goes on.
"""

import asyncio
import logging

from penstock.core.clock import Clock
from penstock.core.loop import Loop
from penstock.observe.metrics.cell import Cell
from penstock.observe.metrics.memory import HELD_S, Memory
from penstock.observe.metrics.model import MetricKey
from penstock.observe.metrics.records import read_cells_since, read_series, write_batch
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 1.0
"""Real seconds: the promise is about kills, which know no business time."""


class Flusher:
    """Keeps the store a second behind memory."""

    def __init__(self, memory: Memory, store: Store, clock: Clock):
        """Nothing runs until `start`."""
        self._memory = memory
        self._store = store
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        # Business time may run a thousand times faster, so the interval is nothing and the real floor is the second.
        self._loop = Loop("metrics-flush", self.flush, clock, interval_s=0.0, floor_s=FLUSH_EVERY_S)

    async def start(self) -> None:
        """Load the recent hours, then begin."""
        since = self._clock.now() - HELD_S
        known, cells = await self._store.read(lambda connection: _load(connection, since))
        self._memory.held_since = max(self._memory.held_since, since)
        series = {row[0]: self._memory.adopt(*row) for row in known}
        for series_id, start, cell in cells:
            if series_id in series:
                self._memory.adopt_cell(series[series_id], start, cell)
        self._loop.start()

    async def stop(self) -> None:
        """Stop after a last copy."""
        await self._loop.stop()
        await self.flush()

    async def flush(self) -> None:
        """Copy now. Shielded: half a flush cut off would count late samples twice or lose them."""
        await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        async with self._one_at_a_time:
            batch = self._memory.take()
            try:
                if batch:
                    await self._store.write(lambda connection: write_batch(connection, batch))
            except BaseException:
                self._memory.give_back(batch)
                raise
            finally:
                self._forget()
            for series in batch.new:
                series.stored = True

    def _forget(self) -> None:
        lost = self._memory.forget(self._clock.now())
        if lost:
            log.error("metrics: %d minutes of samples were dropped, the store has refused them for too long", lost)


def _load(
    connection: Connection, since: float
) -> tuple[list[tuple[int, MetricKey, str, float]], list[tuple[int, int, Cell]]]:
    return read_series(connection), read_cells_since(connection, since)
