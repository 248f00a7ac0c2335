"""From an invoke to its outcome: admit, find or make an environment, run, account. Rule: no database, no thread, and on
the warm path no task; nothing that the function does raises here.
"""

import asyncio
import logging

from penstock.core.clock import Clock
from penstock.execution import lines
from penstock.execution.admission import RATE_REASON, Admission, Slot
from penstock.execution.environment import End, EndKind, Environment, LaunchError
from penstock.execution.failures import NO_REASON
from penstock.execution.flight import Flight, Verdict, judge, judge_timeout
from penstock.execution.journal import Journal
from penstock.execution.measures import Measures
from penstock.execution.model import Invocation, Outcome, OutcomeKind
from penstock.execution.pool import Pool
from penstock.execution.states import State
from penstock.execution.warmup import Warmup
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)


class Dispatcher:
    """See the module."""

    def __init__(
        self,
        *,
        clock: Clock,
        admission: Admission,
        measures: Measures,
        pool: Pool[Flight],
        warmup: Warmup,
    ) -> None:
        """The pool and the admission are shared with the room, which shows and retires."""
        self._clock = clock
        self._admission = admission
        self._measures = measures
        self._pool = pool
        self._warmup = warmup
        self._flights: set[Flight] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def invoke(self, version: FunctionVersion, invocation: Invocation) -> Outcome:
        """Run one event. A caller that is cancelled leaves the invoke running to its end."""
        if self._closed:
            return _refused(version, "ServiceException", "the server is stopping: try again in a moment")
        executed = version.version if invocation.alias else None
        measures = self._measures.of(version.scope, version.name, invocation.invoked_arn, executed)
        code_id = version.code_id
        environment = self._pool.take(code_id)
        slot = self._admit(version, invocation, environment)
        if not isinstance(slot, Slot):
            if environment is not None:
                self._offer(environment)
            measures.throttled(self._clock.now())
            return Outcome(OutcomeKind.THROTTLED, b"", version.version, reason=slot)
        measures.admitted(slot, self._clock.now())
        busy, allocated = self._pool.usage(code_id)
        if allocated:
            used = environment is not None and self._pool.is_provisioned(environment)
            measures.provisioned(self._clock.now(), used=used, busy=busy, allocated=allocated)
        flight = Flight(version, invocation, slot, measures, asyncio.get_running_loop().create_future())
        self._flights.add(flight)
        self._quiet.clear()
        if environment is not None:
            self._run(flight, environment, version.timeout_s)
        else:
            self._spawn(flight)
        return await flight.done

    def offer(self, environment: Environment) -> None:
        """An environment made for nobody in particular is ready: the next in line gets it."""
        if environment.state is State.IDLE:
            self._offer(environment)

    def in_flight(self) -> list[Flight]:
        """Invokes not yet settled."""
        return list(self._flights)

    async def drain(self, timeout_s: float) -> bool:
        """Take no new invokes and wait for those under way; whether all ended in time."""
        self._closed = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """Settle whatever still runs as the platform's failure."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for flight in list(self._flights):
            if flight.running_on is not None:
                flight.running_on.stop()
            self._refuse(flight, LaunchError("ServiceException", "the server stopped before the function ended"))

    def _admit(self, version: FunctionVersion, invocation: Invocation, environment: Environment | None) -> Slot | str:
        scope, name = version.scope, version.name
        provisioned = environment is not None and self._pool.is_provisioned(environment)
        slot = self._admission.admit(scope, name, invocation.reserved_concurrency, provisioned=provisioned)
        if environment is not None or not isinstance(slot, Slot):
            return slot
        if self._admission.may_scale(slot, self._clock.monotonic()):
            return slot
        self._admission.release(slot)
        return RATE_REASON

    def _spawn(self, flight: Flight) -> None:
        task = asyncio.get_running_loop().create_task(self._cold(flight))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cold(self, flight: Flight) -> None:
        """Serve a flight that found no free environment."""
        code_id = flight.version.code_id
        self._pool.wait(code_id, flight)
        try:
            async with self._warmup.place():
                if not self._pool.leave(code_id, flight):
                    return  # an environment became free first and took it
                await self._open(flight)
        except LaunchError as error:
            self._refuse(flight, error)
        except Exception:
            log.exception("an invoke of %s failed inside the server", flight.version.arn)
            self._refuse(flight, LaunchError("ServiceException", "the server failed; its log has the details"))

    async def _open(self, flight: Flight) -> None:
        started = await self._warmup.start(flight.version, flight.invocation.request_id, self._gone)
        flight.started_at = self._clock.monotonic() - started.spent_s
        if isinstance(started.result, Verdict):
            self._settle(flight, started.result, started.journal, started.peak_kb)
            return
        flight.init_ms = started.init_ms
        self._run(flight, started.result, flight.version.timeout_s - started.spent_s)

    def _run(self, flight: Flight, environment: Environment, limit_s: float) -> None:
        now, journal = self._clock.now(), environment.journal
        if not flight.started_at:
            flight.started_at = self._clock.monotonic()
        flight.running_on = environment
        journal.begin()
        version, request_id = flight.version, flight.invocation.request_id
        writer = lines.lines_for(version.name, version.log_format, version.system_log_level)
        journal.platform(writer.start(now, request_id, version.version))
        if environment.state is not State.IDLE:  # it died between its init and now
            end = End(EndKind.EXITED, reason=NO_REASON)
            self._settle(flight, judge(end, request_id), journal, environment.memory_kb()[1])
            return
        # Execution time: the loop's own timer is monotonic and never scaled, and costs no task.
        flight.timer = asyncio.get_running_loop().call_later(max(limit_s, 0.0), self._expired, flight)
        environment.begin(
            flight.meta(limit_s),
            flight.invocation.payload,
            lambda env, end: self._ended(flight, env, end),
            flight.invocation.stream,
        )

    def _ended(self, flight: Flight, environment: Environment, end: End) -> None:
        environment.drain()
        self._settle(flight, judge(end, flight.invocation.request_id), environment.journal, end.peak_kb)
        if environment.state is State.SETTLING:
            environment.when_idle(self._offer)
        elif environment.doomed:
            environment.stop()
        else:
            self._offer(environment)

    def _expired(self, flight: Flight) -> None:
        environment = flight.running_on
        if environment is None or flight.settled:
            return
        environment.drain()
        _, peak_kb = environment.memory_kb()
        environment.stop()
        verdict = judge_timeout(flight.invocation.request_id, flight.version.timeout_s)
        self._settle(flight, verdict, environment.journal, peak_kb)

    def _offer(self, environment: Environment) -> None:
        """An environment is free: the next in line gets it."""
        waiting = self._pool.give_back(environment)
        if waiting is not None:
            self._run(waiting, environment, waiting.version.timeout_s)

    def _gone(self, environment: Environment) -> None:
        self._pool.remove(environment)

    def _settle(self, flight: Flight, verdict: Verdict, journal: Journal, peak_kb: int) -> None:
        """Log lines, metrics, slot, and the caller's answer."""
        if flight.settled:
            return
        version, now = flight.version, self._clock.now()
        duration_ms = (self._clock.monotonic() - flight.started_at) * 1000
        if verdict.kind is OutcomeKind.TIMED_OUT:
            duration_ms = version.timeout_s * 1000.0
        report = lines.Report(
            request_id=flight.invocation.request_id,
            duration_ms=duration_ms,
            billed_ms=lines.billed(duration_ms, flight.init_ms),
            memory_mb=version.memory_mb,
            used_mb=min(version.memory_mb, -(-peak_kb // 1024)),
            init_ms=flight.init_ms,
            status=verdict.status,
            error_type=verdict.error_type,
            handled=verdict.kind is OutcomeKind.SUCCEEDED,
        )
        writer = lines.lines_for(version.name, version.log_format, version.system_log_level)
        last = writer.end(now, report)
        if verdict.message:
            last = writer.failure(now, report.request_id, verdict.message, verdict.error_type or "") + last
        journal.close_invoke(last)
        failed = verdict.kind is not OutcomeKind.SUCCEEDED
        flight.measures.ended(now, duration_ms, failed=failed)
        self._close(flight, _outcome(version, verdict, report, journal))

    def _refuse(self, flight: Flight, error: LaunchError) -> None:
        if not flight.settled:
            self._pool.leave(flight.version.code_id, flight)
            self._close(flight, _refused(flight.version, error.code, str(error)))

    def _close(self, flight: Flight, outcome: Outcome) -> None:
        flight.settled = True
        if flight.timer is not None:
            flight.timer.cancel()
        self._admission.release(flight.slot)
        self._flights.discard(flight)
        if not self._flights:
            self._quiet.set()
        if not flight.done.done():  # else the caller went away
            flight.done.set_result(outcome)


def _outcome(version: FunctionVersion, verdict: Verdict, report: lines.Report, journal: Journal) -> Outcome:
    return Outcome(
        verdict.kind,
        verdict.payload,
        version.version,
        reason=verdict.message or verdict.error_type,
        error_type=verdict.error_type,
        duration_ms=report.duration_ms,
        billed_ms=report.billed_ms,
        init_ms=report.init_ms,
        max_memory_mb=report.used_mb,
        log_lines=journal.last_lines(),
        log_stream=journal.stream,
    )


def _refused(version: FunctionVersion, code: str, why: str) -> Outcome:
    return Outcome(OutcomeKind.PLATFORM_ERROR, b"", version.version, reason=why, error_code=code)
