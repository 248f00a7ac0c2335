"""The worker: what was accepted is delivered, retried on schedule, settled in the store, and survives a crash."""

import asyncio
from dataclasses import replace

from penstock.core.bus import Bus
from penstock.core.context import Scope
from penstock.core.errors import ApiError, StoreUnavailableError
from penstock.events.async_invoke.accept import accept
from penstock.events.async_invoke.loop import AsyncWorker
from penstock.events.model import AsyncEvent, EventState
from penstock.events.records import ASYNC_EVENTS
from penstock.execution.model import Outcome, OutcomeKind
from penstock.registry.model import FunctionVersion, Route

SCOPE = Scope("000000000000", "us-east-1")
VERSION = FunctionVersion(SCOPE, "f", "1", "python3.11", "app.handler", "role", "sha", 1, "rev", 0.0)
DONE, FAILED = OutcomeKind.SUCCEEDED, OutcomeKind.HANDLER_ERROR


class Runs:
    """An executor that answers from a script and remembers when it was asked."""

    def __init__(self, clock, *kinds):
        self.clock, self.kinds, self.at = clock, list(kinds), []
        self.hold = asyncio.Event()
        self.hold.set()

    async def invoke(self, version, invocation):
        self.at.append((invocation.request_id, self.clock.now()))
        await self.hold.wait()
        return Outcome(self.kinds.pop(0) if self.kinds else DONE, b"{}", version.version)


class Metrics:
    def __init__(self):
        self.seen = []

    def record(self, scope, namespace, metric, dimensions, value, unit, at):
        self.seen.append((metric, value))


def event(clock, number=1):
    now = clock.now()
    return AsyncEvent(f"e{number}", SCOPE, "f", "live", b'{"n":1}', "arn", now, now)


def worker(store, clock, bus, runs, resolve=lambda _: Route(VERSION, alias="live"), metrics=None):
    return AsyncWorker(
        store=store,
        clock=clock,
        bus=bus,
        executor=runs,
        resolve=resolve,
        roll=lambda: 0.5,
        metrics=metrics or Metrics(),
    )


def rows(store):
    return store.read_now(lambda c: [(row.id, row.state, row.attempts) for row in c.execute(ASYNC_EVENTS.select())])


async def until(condition, clock):
    """Let real threads (the store) and mock time go on until it is true."""
    for _ in range(2000):
        if condition():
            return
        await clock.advance(0.2)
        await asyncio.to_thread(lambda: None)
    raise AssertionError("did not come true")


def test_a_delivered_event_leaves_nothing(store, clock) -> None:
    async def scenario():
        bus, runs = Bus(), Runs(clock, DONE)
        working = worker(store, clock, bus, runs)
        working.start()
        await accept(store, bus, event(clock))
        await until(lambda: runs.at and not rows(store), clock)
        await working.stop()

    asyncio.run(scenario())


def test_errors_are_retried_after_one_and_two_minutes_then_kept_as_exhausted(store, clock) -> None:
    async def scenario():
        bus, runs, metrics = Bus(), Runs(clock, FAILED, FAILED, FAILED), Metrics()
        working = worker(store, clock, bus, runs, metrics=metrics)
        working.start()
        await accept(store, bus, event(clock))
        await until(lambda: rows(store) == [("e1", EventState.EXHAUSTED, 3)], clock)
        await working.stop()
        first, second, third = (at for _, at in runs.at)
        assert 60 <= second - first < 70
        assert 120 <= third - second < 130
        assert ("AsyncEventsDropped", 1.0) in metrics.seen

    asyncio.run(scenario())


def test_what_was_in_hand_when_the_server_died_is_delivered_again(store, clock) -> None:
    async def scenario():
        bus, dying = Bus(), Runs(clock)
        dying.hold.clear()
        first = worker(store, clock, bus, dying)
        first.start()
        await accept(store, bus, event(clock))
        await until(lambda: dying.at, clock)
        runs = Runs(clock, DONE)  # the first worker never settles, as after kill -9
        second = worker(store, clock, Bus(), runs)
        second.start()
        await until(lambda: runs.at and not rows(store), clock)
        assert [key for key, _ in runs.at] == ["e1"]
        dying.hold.set()
        await first.stop()
        await second.stop()

    asyncio.run(scenario())


def test_an_event_whose_function_is_gone_is_kept_not_retried_for_ever(store, clock) -> None:
    def gone(_):
        raise ApiError("ResourceNotFoundException", "Function not found: f")

    async def scenario():
        bus, runs = Bus(), Runs(clock)
        working = worker(store, clock, bus, runs, resolve=gone)
        working.start()
        await accept(store, bus, event(clock))
        await until(lambda: rows(store) == [("e1", EventState.EXHAUSTED, 0)], clock)
        assert runs.at == []
        await working.stop()

    asyncio.run(scenario())


def test_an_event_is_delivered_once_at_a_time_and_many_all_arrive(store, clock) -> None:
    async def scenario():
        bus, runs = Bus(), Runs(clock)
        working = worker(store, clock, bus, runs)
        working.start()
        await asyncio.gather(*(accept(store, bus, replace(event(clock), id=f"e{n}")) for n in range(200)))
        await until(lambda: not rows(store), clock)
        await working.stop()
        assert sorted(key for key, _ in runs.at) == sorted(f"e{n}" for n in range(200))

    asyncio.run(scenario())


class Refusing:
    """A store whose disk is full until it is told otherwise."""

    def __init__(self, store):
        self.store, self.full, self.refused = store, False, 0
        self.read = store.read

    async def write(self, work):
        if self.full:
            self.refused += 1
            raise StoreUnavailableError("its disk is full")
        return await self.store.write(work)


def test_a_full_disk_does_not_run_an_event_again_and_again(store, clock) -> None:
    async def scenario():
        bus, runs, disk = Bus(), Runs(clock, DONE, DONE), Refusing(store)
        runs.hold.clear()
        working = worker(disk, clock, bus, runs)
        await accept(disk, bus, event(clock))
        working.start()
        await until(lambda: runs.at, clock)
        disk.full = True
        runs.hold.set()
        await until(lambda: disk.refused >= 3, clock)
        disk.full = False
        await until(lambda: not rows(store), clock)
        await working.stop()
        assert len(runs.at) == 1

    asyncio.run(scenario())
