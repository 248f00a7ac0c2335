"""The worker that delivers accepted events. Rule: a delivery is settled in the store before the event is let go of,
so a crash repeats a delivery and never forgets one (at least once, as AWS promises).
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.errors import ApiError
from penstock.core.loop import Loop
from penstock.events.async_invoke.accept import EventAccepted
from penstock.events.async_invoke.decide import Decision, Delivered, Exhausted, Retry, decide
from penstock.events.model import AsyncEvent, RetryPolicy
from penstock.events.records import delete_event, due_events, exhaust_event, reschedule_event
from penstock.execution.model import Executor, Invocation, Outcome, OutcomeKind
from penstock.observe.ports import MetricSink
from penstock.registry.model import Route
from penstock.store.database import Connection, Store
from penstock.store.patience import write_patiently

log = logging.getLogger(__name__)
AT_ONCE = 64
"""Deliveries in hand at one time; the rest wait in the store."""


class AsyncWorker:
    """Picks due events and delivers each through the same executor as a synchronous invoke."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        bus: Bus,
        executor: Executor,
        resolve: Callable[[AsyncEvent], Route],
        roll: Callable[[], float],
        metrics: MetricSink,
    ):
        """`resolve` looks the event's qualifier up at delivery; `roll` is the die for weighted aliases."""
        self._store = store
        self._clock = clock
        self._executor = executor
        self._resolve = resolve
        self._roll = roll
        self._metrics = metrics
        self._policy = RetryPolicy()
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._loop = Loop("async-events", self._step, clock, interval_s=1.0)
        bus.subscribe(EventAccepted, lambda _: self._loop.wake())

    def start(self) -> None:
        """Begin delivering, with what a crash left behind first."""
        self._loop.start()

    async def stop(self) -> None:
        """Take no more; what is in hand and does not end now is delivered again after the restart."""
        await self._loop.stop()
        if self._in_hand:
            await asyncio.wait(list(self._in_hand.values()), timeout=5.0)
        for task in list(self._in_hand.values()):
            task.cancel()

    async def _step(self) -> None:
        room = AT_ONCE - len(self._in_hand)
        if room <= 0:
            return
        # Those in hand are still due in the store, so ask for enough to see past them.
        due = await self._store.read(lambda c: due_events(c, self._clock.now(), room + len(self._in_hand)))
        for event in [event for event in due if event.id not in self._in_hand][:room]:
            task = asyncio.create_task(self._deliver(event), name=f"deliver:{event.id}")
            self._in_hand[event.id] = task
            task.add_done_callback(partial(self._let_go, event.id))

    def _let_go(self, key: str, _task: asyncio.Task[None]) -> None:
        was_full = len(self._in_hand) >= AT_ONCE
        self._in_hand.pop(key, None)
        if was_full:
            self._loop.wake()

    async def _deliver(self, event: AsyncEvent) -> None:
        started_at = self._clock.now()
        self._measure(event, "AsyncEventAge", (started_at - event.accepted_at) * 1000.0, "Milliseconds", started_at)
        try:
            decision, error = await self._attempt(event)
        except Exception:
            log.exception("delivering event %s failed inside Penstock; it stays accepted", event.id)
            decision, error = Retry(self._clock.now() + 5.0, event.attempts, event.refusals + 1), "internal error"
        # In hand until it is settled: a full disk must not make the function run again every second.
        await write_patiently(self._store, self._clock, lambda connection: _settle(connection, event, decision, error))
        if isinstance(decision, Exhausted):
            log.warning("event %s for %s was given up: %s (%s)", event.id, event.function, decision.condition, error)
            self._measure(event, "AsyncEventsDropped", 1.0, "Count", self._clock.now())

    async def _attempt(self, event: AsyncEvent) -> tuple[Decision, str | None]:
        try:
            route = self._resolve(event)
        except ApiError as error:
            # The function or alias was deleted after the event was accepted: there is nothing left to run.
            return Exhausted("FunctionNotFound", event.attempts), error.message
        outcome = await self._executor.invoke(
            route.choose(self._roll()),
            Invocation(
                request_id=event.id,
                payload=event.payload,
                invoked_arn=event.invoked_arn,
                alias=route.alias,
                client_context=event.client_context,
                trace_header=event.trace_header,
                reserved_concurrency=route.reserved_concurrency,
            ),
        )
        return decide(event, outcome, self._policy, self._clock.now()), _words(outcome)

    def _measure(self, event: AsyncEvent, metric: str, value: float, unit: str, at: float) -> None:
        dimensions = (("FunctionName", event.function),)
        self._metrics.record(event.scope, "AWS/Lambda", metric, dimensions, value, unit, at)


def _settle(connection: Connection, event: AsyncEvent, decision: Decision, error: str | None) -> None:
    match decision:
        case Delivered():
            delete_event(connection, event.id)
        case Retry(next_at, attempts, refusals):
            reschedule_event(
                connection, event.id, next_at=next_at, attempts=attempts, refusals=refusals, last_error=error
            )
        case Exhausted(_, attempts):
            exhaust_event(connection, event.id, attempts=attempts, last_error=error)


def _words(outcome: Outcome) -> str | None:
    if outcome.kind is OutcomeKind.SUCCEEDED:
        return None
    return outcome.reason or outcome.payload[:1024].decode("utf-8", "replace")
