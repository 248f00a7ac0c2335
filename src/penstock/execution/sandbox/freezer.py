"""Stills environments that are idle, as AWS does: what a function left running goes on at its next invoke.

Rule: invokes that follow each other closely pay nothing; an environment is frozen only after `DELAY_S` without one.
"""

import asyncio
from collections import deque
from typing import Protocol

from penstock.core.clock import Clock

DELAY_S = 0.01


class Restful(Protocol):
    """What can be stilled."""

    idle_since: float
    """Monotonic."""

    def still(self, idle_since: float) -> None:
        """Freeze it, if it has not been busy since."""


class Freezer:
    """One timer for all environments: an invoke costs one entry in a queue."""

    def __init__(self, clock: Clock) -> None:
        """The clock that `idle_since` is told by."""
        self._clock = clock
        self._resting: deque[tuple[float, Restful]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def rest(self, environment: Restful) -> None:
        """It became idle just now."""
        self._resting.append((environment.idle_since, environment))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self._look)

    def _look(self) -> None:
        now = self._clock.monotonic()
        while self._resting and self._resting[0][0] + DELAY_S <= now:
            idle_since, environment = self._resting.popleft()
            environment.still(idle_since)
        self._timer = None
        if self._resting:
            wait_s = max(self._resting[0][0] + DELAY_S - now, 0.001)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._look)
