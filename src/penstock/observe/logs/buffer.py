"""Lines on their way to the store: a bounded queue in memory that never blocks and never raises.

Rule: when it is full the oldest lines go, because the newest tell what is wrong now; what went is counted.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from penstock.core.context import Scope
from penstock.observe.ports import LogLine

LINE_COST = 200
"""Bytes a line costs in memory besides its text, roughly."""


class Batch(NamedTuple):
    """What one `append` brought."""

    scope: Scope
    group: str
    stream: str
    lines: tuple[LogLine, ...]
    cost: int


class Buffer:
    """Appended to from any thread; emptied by the sink's flush."""

    def __init__(self, limit: int):
        """Hold at most `limit` bytes, lines being flushed included."""
        self._limit = limit
        self._waiting: deque[Batch] = deque()
        self._cost = 0
        self._lost: dict[tuple[Scope, str], int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many batches wait."""
        return len(self._waiting)

    @property
    def cost(self) -> int:
        """Bytes held, lines being flushed included."""
        return self._cost

    def add(self, scope: Scope, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Take lines in; may push the oldest out."""
        cost = LINE_COST * len(lines)
        for line in lines:
            cost += len(line.message)
        with self._lock:
            self._waiting.append(Batch(scope, group, stream, tuple(lines), cost))
            self._cost += cost
            self._trim()

    def take(self, limit: int, most: int | None = None) -> list[Batch]:
        """The oldest batches, about `limit` bytes and at most `most` of them. They count until `done` or `put_back`."""
        taken: list[Batch] = []
        with self._lock:
            while self._waiting and limit > 0 and len(taken) != most:
                taken.append(self._waiting.popleft())
                limit -= taken[-1].cost
        return taken

    def done(self, taken: list[Batch]) -> None:
        """These are in the store."""
        with self._lock:
            self._cost -= sum(batch.cost for batch in taken)

    def put_back(self, taken: list[Batch]) -> None:
        """These are not in the store; they are the oldest still."""
        with self._lock:
            self._waiting.extendleft(reversed(taken))
            self._trim()

    def take_losses(self) -> dict[tuple[Scope, str], int]:
        """Lines dropped since the last call, by scope and group."""
        with self._lock:
            lost, self._lost = self._lost, {}
        return lost

    def _trim(self) -> None:
        while self._cost > self._limit and self._waiting:
            batch = self._waiting.popleft()
            self._cost -= batch.cost
            key = (batch.scope, batch.group)
            self._lost[key] = self._lost.get(key, 0) + len(batch.lines)
