"""Level *full*: environments live in cells, a few of which wait ready. Rule: what a cell costs to make (namespaces, a
network, entering its control group) is paid before anybody waits for it.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from penstock.core.clock import Clock
from penstock.execution.sandbox.cell import Cell, Doors
from penstock.execution.sandbox.groups import Groups
from penstock.execution.sandbox.layout import LAYERS, RUNTIME, TASK
from penstock.execution.sandbox.model import Setting
from penstock.execution.zygote import Zygote, ZygoteError
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)

SPARE = 2
"""Cells that wait ready, for each zygote that was used."""
REFILL_AFTER_S = 0.05
"""Making the next cell would take the processor from the cold start that took the last."""
SETTLE_S = 20.0
FIRST_USER = 700_000_000
"""User numbers far from those of people; each cell has one of its own, so that limits the kernel counts by user are
not shared."""


class Cells:
    """A `Ground` of cells."""

    def __init__(
        self, *, clock: Clock, groups: Groups, given: Mapping[str, Path], endpoint: Callable[[], str], doors: Doors
    ) -> None:
        """Packages and layers lie below `given`; `endpoint` is known once the server listens."""
        self._clock = clock
        self._groups = groups
        self._given = given
        self._endpoint = endpoint
        self._doors = doors
        self._ready: dict[Zygote, deque[Cell]] = {}
        self._refilling: dict[Zygote, asyncio.Task[None]] = {}
        self._living: set[Cell] = set()
        self._users: set[int] = set()
        self._count = 0
        self._stopped = False

    async def setting(self, zygote: Zygote, version: FunctionVersion, package: Path, layers: Path | None) -> Setting:
        """See `Ground`."""
        seen = [(package, Path(TASK)), *([(layers, Path(LAYERS))] if layers else [])]
        shown = {self._name(outer): str(inner) for outer, inner in seen}
        cell = self._take(zygote) or await self._make(zygote)
        self.ready(zygote)
        cell.assign(shown, version.memory_mb, version.ephemeral_mb)
        temporary = Path("/tmp")  # noqa: S108 - a file system of its own
        opt = Path(LAYERS) if layers else None
        return Setting(cell, Path(TASK), Path(RUNTIME), temporary, lambda: None, opt, tuple(seen))

    def _name(self, directory: Path) -> str:
        """What the zygote knows a directory by; raises `OSError` when it was not given it."""
        for name, root in self._given.items():
            if directory.is_relative_to(root):
                return f"{name}/{directory.relative_to(root)}"
        raise OSError(2, "not below the directories of code and layers", str(directory))

    def ready(self, zygote: Zygote) -> None:
        """See `Ground`."""
        if zygote not in self._refilling and not self._stopped:
            task = asyncio.get_running_loop().create_task(self._refill(zygote), name="spare cells")
            self._refilling[zygote] = task
            task.add_done_callback(lambda _: self._refilling.pop(zygote, None))

    async def stop(self) -> None:
        """End the cells that wait, and wait for every one to be gone."""
        self._stopped = True
        for task in list(self._refilling.values()):
            task.cancel()
        await asyncio.gather(*self._refilling.values(), return_exceptions=True)
        for cell in list(self._living):
            cell.kill()

    async def gone(self) -> None:
        """Wait until nothing of any cell is left, then remove the common group."""
        end = self._clock.monotonic() + 5.0
        while self._living and self._clock.monotonic() < end:
            await self._clock.pause(0.005)
        await asyncio.to_thread(self._groups.sweep)

    def _take(self, zygote: Zygote) -> Cell | None:
        shelf = self._ready.get(zygote)
        while shelf:
            cell = shelf.popleft()
            if cell.alive:
                return cell
        return None

    async def _refill(self, zygote: Zygote) -> None:
        try:
            await self._clock.pause(REFILL_AFTER_S)
            async with asyncio.timeout(SETTLE_S):
                await zygote.settled.wait()
            while not self._endpoint():
                await self._clock.pause(REFILL_AFTER_S)
            for old in [one for one in self._ready if not one.alive]:
                del self._ready[old]
            shelf = self._ready.setdefault(zygote, deque())
            while zygote.alive and len(shelf) < SPARE:
                shelf.append(await self._make(zygote))
        except (ZygoteError, OSError, TimeoutError) as error:
            log.warning("no spare cell for %s: %s", zygote.interpreter, error)

    async def _make(self, zygote: Zygote) -> Cell:
        self._count += 1
        group = await asyncio.to_thread(self._groups.make, f"{os.getpid()}-{self._count}")
        user = self._free_user()
        cell = Cell(zygote, group, lambda: self._release(cell, user))
        self._living.add(cell)
        endpoint = urlsplit(self._endpoint())
        await cell.open({"user": user, "endpoint": [endpoint.hostname, endpoint.port]}, self._doors)
        return cell

    def _free_user(self) -> int:
        user = FIRST_USER
        while user in self._users:
            user += 1
        self._users.add(user)
        return user

    def _release(self, cell: Cell, user: int) -> None:
        self._living.discard(cell)
        self._users.discard(user)
