"""One transaction, then what follows from it. Rule: once a write was handed to the store, what follows happens too,
even when the caller has gone away: memory must never disagree with the disk.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from penstock.store.database import Connection, Store

T = TypeVar("T")


class Commits:
    """Writes of one room that nobody can cancel half way."""

    def __init__(self, store: Store) -> None:
        """See the module."""
        self._store = store
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[Connection], T], then: Callable[[T], object]) -> T:
        """Run `work` in one transaction and, when it is durable, `then` with its result. Errors of `work` come back."""
        task = asyncio.get_running_loop().create_task(self._run(work, then))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, work: Callable[[Connection], T], then: Callable[[T], object]) -> T:
        result = await self._store.write(work)
        then(result)
        return result
