"""The slow eye on environments: memory limits while busy, reaping when idle, lines of a long invoke.

Rule: a few microseconds per busy environment and tick; sleeps between ticks whatever happens.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from penstock.core.clock import Clock
from penstock.execution.environment import Environment
from penstock.execution.flight import Flight
from penstock.execution.pool import Pool
from penstock.execution.states import State
from penstock.identity.sessions import FUNCTION_SESSION_S
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)

TICK_S = 0.1
LEFT_IDLE_S = 60.0
"""How long environments outlive their version's traffic: a rollback within that time finds them warm."""
RETIRE_AFTER_S = FUNCTION_SESSION_S - 1800
"""The keys of a role must outlive the longest invoke, 15 minutes, whenever it begins."""


class Watch:
    """One task for all environments."""

    def __init__(
        self, clock: Clock, pool: Pool[Flight], idle_s: float, expects: Callable[[FunctionVersion], bool]
    ) -> None:
        """`idle_s` real seconds without an invoke and an environment is reaped.

        Sooner, after `LEFT_IDLE_S`, when its version `expects` no traffic: no alias leads to it any more.
        """
        self._clock = clock
        self._pool = pool
        self._idle_s = idle_s
        self._expects = expects
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="watch environments")

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                log.exception("the watch stumbled and goes on")
            await self._clock.pause(TICK_S)

    def look(self) -> None:
        """One round."""
        now = self._clock.monotonic()
        for environment in self._pool.all():
            if now - environment.created_at > RETIRE_AFTER_S:
                environment.doomed = True  # its keys expire soon; one that is busy ends after its invoke
                if environment.state is State.IDLE:
                    environment.stop()
            if environment.state in (State.BUSY, State.SETTLING, State.INITIALISING):
                environment.journal.flush()
                used_kb, _ = environment.memory_kb()
                if used_kb > environment.version.memory_mb * 1024:
                    log.info("%s is over its memory limit and is killed", environment.version.arn)
                    environment.kill()
            elif environment.state is State.IDLE and self._is_spare(environment, now - environment.idle_since):
                environment.doomed = True
                environment.stop()

    def _is_spare(self, environment: Environment, idle_s: float) -> bool:
        if idle_s <= min(self._idle_s, LEFT_IDLE_S) or self._pool.is_provisioned(environment):
            return False
        return idle_s > self._idle_s or not self._expects(environment.version)
