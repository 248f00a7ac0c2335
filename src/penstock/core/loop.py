"""The reconcile loop: do a step, wait, do it again; a failed step is logged and tried again.

Rule: a step reads its work from the store, so a restart needs no recovery code.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from penstock.core.clock import Clock
from penstock.core.errors import StoreUnavailableError

log = logging.getLogger(__name__)


class Loop:
    """Runs `step` every `interval_s` business seconds, or at once when `wake` is called.

    `floor_s` is the least real time between two steps, so that accelerated business time cannot spin the processor.
    """

    def __init__(
        self, name: str, step: Callable[[], Awaitable[None]], clock: Clock, interval_s: float, floor_s: float = 0.05
    ):
        """Nothing runs until `start`."""
        self.name = name
        self._step = step
        self._clock = clock
        self._interval_s = interval_s
        self._floor_s = floor_s
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"loop:{self.name}")

    def wake(self) -> None:
        """There is work now; do not wait for the interval."""
        self._wake.set()

    async def stop(self) -> None:
        """Stop after the step in hand was cancelled."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._step()
            except StoreUnavailableError:
                pass  # the store has said so; the next step tries again
            except Exception:
                log.exception("loop %s: step failed, will try again", self.name)
            await self._clock.pause(self._floor_s)
            await self._wait()

    async def _wait(self) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(self._interval_s))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({timer, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()
