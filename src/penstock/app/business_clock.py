"""Business time across restarts. Rule: it never goes back, whatever happened to the wall clock or to --clock-speed.

The store keeps an anchor (this wall time was that business time, at this speed) and a high-water mark.
"""

import contextlib

from penstock.core.clock import SystemClock
from penstock.core.errors import StoreUnavailableError
from penstock.core.loop import Loop
from penstock.store.database import SqliteStore
from penstock.store.facts import read_fact, write_fact

ANCHOR = "clock-anchor"
HIGH_WATER = "clock-high-water"
MARK_EVERY_REAL_S = 30.0


def open_clock(store: SqliteStore, speed: float) -> SystemClock:
    """The server's clock. With the anchor's own speed it goes on as if it had never stopped; a new speed re-anchors."""
    anchor = store.read_now(lambda connection: read_fact(connection, ANCHOR))
    high_water = store.read_now(lambda connection: read_fact(connection, HIGH_WATER)) or 0.0
    clock = SystemClock(**anchor) if anchor else SystemClock(speed)
    if anchor is not None and clock.speed == speed and clock.now() >= high_water:
        return clock
    real, business = clock.real(), max(clock.now(), high_water)
    fact = {"speed": speed, "anchor_real": real, "anchor_business": business}
    store.write_now(lambda connection: write_fact(connection, ANCHOR, fact))
    return SystemClock(speed, real, business)


class HighWater:
    """Writes down how far business time has come, every half minute of real time."""

    def __init__(self, store: SqliteStore, clock: SystemClock):
        """Starts with `start`."""
        self._store = store
        self._clock = clock
        self._loop = Loop("clock", self.mark, clock, interval_s=MARK_EVERY_REAL_S * clock.speed)

    def start(self) -> None:
        """Begin marking."""
        self._loop.start()

    async def mark(self) -> None:
        """Write it down now."""
        now = self._clock.now()
        await self._store.write(lambda connection: write_fact(connection, HIGH_WATER, now))

    async def stop(self) -> None:
        """Stop, with a last mark."""
        await self._loop.stop()
        with contextlib.suppress(StoreUnavailableError):
            await self.mark()
