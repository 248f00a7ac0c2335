"""Puts isolation together for one server: probes, decides, prepares, and takes everything away again.

Rule: until `start` nothing is known; after `sweep` nothing of ours is left.
"""

import asyncio
import logging
import os
import shutil
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.execution import libraries
from penstock.execution.sandbox.cells import Cells
from penstock.execution.sandbox.decide import decide
from penstock.execution.sandbox.gate import Gate
from penstock.execution.sandbox.groups import group_name
from penstock.execution.sandbox.layout import RUNTIME, plan
from penstock.execution.sandbox.model import Demand, Ground, Isolation, Level
from penstock.execution.sandbox.open import OpenGround
from penstock.execution.sandbox.probe import look
from penstock.execution.zygote import Closure

log = logging.getLogger(__name__)

Serve = Callable[[socket.socket], Awaitable[Callable[[], None]]]
"""Answer on this listening socket until the returned function is called."""


class Fence:
    """See the module."""

    def __init__(
        self,
        *,
        run: Path,
        clock: Clock,
        dice: Dice,
        code: Callable[[], Path],
        endpoint: Callable[[], str],
        demand: Demand,
        serve: Serve | None,
        programs: Callable[[], list[Path]] = list,
    ) -> None:
        """`run` is ours; `code` holds every unpacked package; `programs` are directories of interpreters to show."""
        self.library = run / "runtime" / "python"
        self._run = run
        self._temporary = run / "environments"
        self._staging = run / "root"
        self._clock = clock
        self._code = code
        self._endpoint = endpoint
        self._demand = demand
        self._serve = serve
        self._programs = programs
        self._isolation: Isolation | None = None
        self._gate = Gate()
        self._closure: Closure | None = None
        self.ground: Ground = OpenGround(
            token=lambda: dice.token(8).hex(), library=self.library, temporary=self._temporary
        )
        """Where environments are made."""

    @property
    def isolation(self) -> Isolation:
        """What was decided; only after `start`."""
        assert self._isolation is not None
        return self._isolation

    async def start(self) -> Closure | None:
        """Decide and prepare; how zygotes close themselves in. Raises `StartupError`."""
        await asyncio.to_thread(self._prepare)
        facts, groups = await look(self._plan(), group_name(self._run.resolve()))
        self._isolation = decide(self._demand, facts)
        if self._isolation.level is Level.FULL and groups is not None:
            self._closure = Closure(self._plan, groups.freezers(), RUNTIME)
            self.ground = Cells(
                clock=self._clock, groups=groups, given=self._given(), endpoint=self._endpoint, doors=self._open_doors
            )
        elif groups is not None:
            await asyncio.to_thread(groups.sweep)
        return self._closure

    async def stop(self) -> None:
        """Make no more, and end what waits unused."""
        await self.ground.stop()

    async def sweep(self) -> None:
        """After the zygotes ended: take the rest away."""
        if isinstance(self.ground, Cells):
            await self.ground.gone()
            await self._gate.stop()
        if self._closure is not None and self._closure.freezers is not None:
            with suppress(OSError):
                os.close(self._closure.freezers)

    async def _open_doors(self, sockets: list[socket.socket]) -> Callable[[], None]:
        """Serve what a cell opened: the endpoint, and its ways out."""
        endpoint, *outward = sockets
        closers = [await self._gate.open(outward)] if outward else []
        if self._serve is not None:
            closers.append(await self._serve(endpoint))
        else:
            endpoint.close()

        def close() -> None:
            for each in closers:
                each()

        return close

    def _given(self) -> dict[str, Path]:
        return {"code": self._code(), "layers": self._run / "layers"}

    def _plan(self) -> dict[str, Any]:
        return plan(
            staging=self._staging,
            library=self.library,
            programs=self._programs(),
            given=self._given(),
            hidden=[self._run.parent],
            unprivileged=os.geteuid() != 0,
        )

    def _prepare(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed server left
        for directory in (self._temporary, self._staging, *self._given().values()):
            directory.mkdir(parents=True, exist_ok=True)
        libraries.build(self.library)
