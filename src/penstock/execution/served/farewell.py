"""The shutdown phase: the runtime is asked to end, then the extensions are told, then everything is ended. Follows
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown.

Rule: it lasts two seconds with external extensions, half a second with internal ones, and no time without any.
"""

import asyncio
import signal
from collections.abc import Callable

from penstock.execution.runtime_api.extensions import SHUTDOWN, ExtensionsDesk
from penstock.execution.served.keeper import Keeper

EXTERNAL_S = 2.0
INTERNAL_S = 0.5
RUNTIME_S = 0.3
"""What the runtime gets of it, when there are external extensions."""


class Farewell:
    """One environment's shutdown."""

    def __init__(
        self,
        *,
        keeper: Keeper,
        extensions: ExtensionsDesk,
        reason: str,
        real: Callable[[], float],
        running: set[str],
        over: Callable[[], None],
    ) -> None:
        """`running` are the names of its processes, `over` is called once; `real` is the wall clock."""
        self._keeper = keeper
        self._extensions = extensions
        self._reason = reason
        self._real = real
        self._running = running
        self._over = over
        self._told = False
        self._timers: list[asyncio.TimerHandle] = []

    def begin(self) -> None:
        """Ask the runtime to end; the rest follows."""
        loop = asyncio.get_running_loop()
        external = any(one.external for one in self._extensions.all)
        limit_s = EXTERNAL_S if external else INTERNAL_S
        self._deadline_ms = int((self._real() + limit_s) * 1000)
        self._timers = [
            loop.call_later(RUNTIME_S if external else limit_s, self._runtime_had_its_time),
            loop.call_later(limit_s, self.cancel_and_end),
        ]
        if "runtime" in self._running:
            self._keeper.order(do="signal", name="runtime", signal=int(signal.SIGTERM))
        self.look()

    def look(self) -> None:
        """A process ended: perhaps it is the next one's turn, or all are gone."""
        if "runtime" not in self._running and not self._told:
            self._told = True
            self._extensions.tell(SHUTDOWN, {"shutdownReason": self._reason, "deadlineMs": self._deadline_ms})
        if not self._running:
            self.cancel_and_end()

    def cancel_and_end(self) -> None:
        """The phase is over."""
        timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
        if timers:
            self._over()

    def cancel(self) -> None:
        """The environment is dead already."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []

    def _runtime_had_its_time(self) -> None:
        if "runtime" in self._running:
            self._keeper.order(do="signal", name="runtime", signal=int(signal.SIGKILL))
