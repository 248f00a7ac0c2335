"""Cold starts: from nothing to an initialised environment. Follows the init phase of
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.

Rule: the init code gets ten seconds of its own; when that fails or passes, it runs once more inside the invoke, on the
function's own time limit, and only then is the invoke lost. Both tries write to one log stream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.execution import failures, lines
from penstock.execution.environment import End, EndKind, Environment, Launcher
from penstock.execution.flight import Flight, Verdict, init_failure, judge_init, judge_timeout
from penstock.execution.journal import ON_DEMAND, PROVISIONED, Journal
from penstock.execution.pool import Pool
from penstock.execution.variables import log_group
from penstock.observe.ports import LogSink
from penstock.registry.model import FunctionVersion

INIT_LIMIT_S = 10.0
PROVISIONED_LIMIT_S = 130.0
"""What the init code of a provisioned environment gets, or the function's time limit if that is longer; as in AWS."""
PLACE_S = 1.0
"""A place is held this long at most: an init that waits for the network uses no processor."""


@dataclass(frozen=True, slots=True)
class Started:
    """A cold start's end: an environment, or why there is none."""

    result: Environment | Verdict
    journal: Journal
    init_ms: float | None = None
    """The init phase, when it went well the first time."""
    spent_s: float = 0.0
    """What the second try took of the invoke's time limit."""
    peak_kb: int = 0


class Warmup:
    """Makes environments, a bounded number at a time."""

    def __init__(
        self, *, clock: Clock, dice: Dice, logs: LogSink, launcher: Launcher, pool: Pool[Flight], places: int
    ) -> None:
        """`places` bounds how many start at once: more would only take the processor from each other."""
        self._clock = clock
        self._dice = dice
        self._logs = logs
        self._launcher = launcher
        self._pool = pool
        self._places = asyncio.Semaphore(places)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place; it is given up at the end or after `PLACE_S`."""
        await self._places.acquire()
        loop, held = asyncio.get_running_loop(), [True]

        def give_up() -> None:
            if held.pop() if held else False:
                self._places.release()

        timer = loop.call_later(PLACE_S, give_up)
        try:
            yield
        finally:
            timer.cancel()
            give_up()

    async def start(self, version: FunctionVersion, request_id: str, gone: Callable[[Environment], None]) -> Started:
        """Both tries; raises `LaunchError` when the platform could not even begin."""
        journal = await self._begin(version, ON_DEMAND)
        first, end = await self._try(version, journal, gone, INIT_LIMIT_S)
        if end is not None and end.kind is EndKind.READY:
            return Started(first, journal, init_ms=first.init_ms)
        self._report(version, journal, end, first, "init")
        began = self._clock.monotonic()
        second, end = await self._try(version, journal, gone, version.timeout_s)
        spent_s = self._clock.monotonic() - began
        if end is not None and end.kind is EndKind.READY:
            return Started(second, journal, spent_s=spent_s)
        self._report(version, journal, end, second, "invoke")
        verdict = judge_timeout(request_id, version.timeout_s) if end is None else judge_init(end, request_id)
        journal.platform(_writer(version, journal).start(self._clock.now(), request_id, version.version))
        return Started(verdict, journal, spent_s=spent_s, peak_kb=second.memory_kb()[1])

    async def provision(self, version: FunctionVersion, gone: Callable[[Environment], None]) -> Environment | str:
        """An initialised environment that waits for nobody, or in words why its init code failed.

        Raises `LaunchError` when the platform could not even begin.
        """
        journal = await self._begin(version, PROVISIONED)
        environment, end = await self._try(version, journal, gone, max(PROVISIONED_LIMIT_S, version.timeout_s))
        if end is not None and end.kind is EndKind.READY:
            journal.flush()
            return environment
        self._report(version, journal, end, environment, "init")
        return "the init code did not end in time" if end is None else init_failure(end)

    async def _begin(self, version: FunctionVersion, initialization: str) -> Journal:
        stream = lines.stream_name(self._clock.now(), version.version, self._dice.token(16).hex())
        journal = Journal(self._logs, self._clock, version.scope, log_group(version), stream, initialization)
        words = await self._launcher.words(version.runtime)
        arn = f"arn:aws:lambda:{version.scope.region}::runtime:{version.runtime}"
        journal.platform(_writer(version, journal).init_start(self._clock.now(), words, arn))
        journal.flush()
        return journal

    async def _try(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None], limit_s: float
    ) -> tuple[Environment, End | None]:
        environment = await self._launcher.launch(version, journal, gone)
        self._pool.add(environment)
        end = await environment.initialise(limit_s)
        return environment, end

    def _report(
        self, version: FunctionVersion, journal: Journal, end: End | None, environment: Environment, phase: str
    ) -> None:
        duration_ms = (self._clock.monotonic() - environment.created_at) * 1000
        status, kind = ("timeout", None) if end is None else ("error", end.error_type or failures.EXITED)
        writer = _writer(version, journal)
        journal.platform(writer.init_report(self._clock.now(), duration_ms, phase, status, kind))
        journal.flush()


def _writer(version: FunctionVersion, journal: Journal) -> lines.PlatformLines:
    return lines.lines_for(version.name, version.log_format, version.system_log_level, journal.initialization)
