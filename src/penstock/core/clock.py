"""The two times. Business time (deployment steps, alarm periods, retries) may run faster; execution time never does.

Rule: nothing outside this module reads the machine's clock, so a test moves time by hand and a drill can jump it.
All instants are seconds since the Unix epoch as `float`; all durations are seconds unless a name ends in `_ms`.
"""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What every room gets instead of `time`."""

    def now(self) -> float:
        """Business time, seconds since the epoch. Never goes backwards within one server."""

    def real(self) -> float:
        """The machine's own wall clock, seconds since the epoch: signatures and key expiry only."""

    def monotonic(self) -> float:
        """Execution time in seconds from an arbitrary start: handler durations, timeouts, I/O deadlines."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many business seconds."""

    async def pause(self, seconds: float) -> None:
        """Wait that many real seconds (execution time)."""


def iso(instant: float) -> str:
    """An instant as AWS's JSON prints times, e.g. `2026-11-21T09:30:00.125+0000`."""
    moment = datetime.fromtimestamp(instant, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def utc(instant: float) -> datetime:
    """An instant as an aware datetime, which is what the wire serialisers take for a timestamp."""
    return datetime.fromtimestamp(instant, UTC)


class SystemClock:
    """The clock of a running server. `speed` scales business time only.

    `anchor_real` and `anchor_business` tie the two together; a server that is started again with the anchor of its
    first start finds business time where it would be had it never stopped.
    """

    def __init__(self, speed: float = 1.0, anchor_real: float | None = None, anchor_business: float | None = None):
        """Tie business time to the wall clock at the anchor (default: now, equal)."""
        self.speed = speed
        self._anchor_real = time.time() if anchor_real is None else anchor_real
        self._anchor_business = self._anchor_real if anchor_business is None else anchor_business
        # Business time must not follow the wall clock back (an NTP step), so it is driven by the monotonic clock.
        self._start_monotonic = time.monotonic()
        self._start_business = self._anchor_business + (time.time() - self._anchor_real) * speed

    def now(self) -> float:
        return self._start_business + (time.monotonic() - self._start_monotonic) * self.speed

    def real(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class MockClock:
    """A clock that tests move by hand. `advance` wakes every sleeper whose time has come, in order."""

    def __init__(self, now: float = 1_800_000_000.0):
        """Start all three times at `now` (default: 2027-01-15T08:00:00Z)."""
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def real(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    async def pause(self, seconds: float) -> None:
        await self.sleep(seconds)

    def move(self, seconds: float) -> None:
        """Move time for code that does not sleep (pure rules, records)."""
        self._now += seconds

    async def advance(self, seconds: float) -> None:
        """Move time and let everything that was due run, each at its own instant."""
        target = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            for _ in range(20):  # let the woken task run to its next wait
                await asyncio.sleep(0)
        self._now = target
        for _ in range(20):
            await asyncio.sleep(0)
