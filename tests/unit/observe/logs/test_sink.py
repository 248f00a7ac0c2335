"""The sink: what is appended is stored in order; a failing store costs nothing until memory is full; nothing raises."""

import asyncio
import logging

import pytest
import sqlalchemy as sa

from penstock.core.clock import MockClock
from penstock.core.context import Scope
from penstock.observe.logs.chunks import MESSAGE_BYTES, unpack
from penstock.observe.logs.records import CHUNKS, GROUPS, STREAMS
from penstock.observe.logs.room import Logs
from penstock.observe.logs.sink import BufferedLogSink
from penstock.observe.ports import LogLine

GROUP, STREAM = "/aws/lambda/orders", "2027/01/15/[1]abc"


def stored(store) -> list[str]:
    def read(connection):
        rows = connection.execute(sa.select(CHUNKS).order_by(CHUNKS.c.id)).all()
        return [message for row in rows for _, message in unpack(row.first_ms, row.data)]

    return store.read_now(read)


class FailingStore:
    """Refuses writes while `broken`, as a full disk does."""

    def __init__(self, store):
        self.store, self.broken, self.attempts = store, True, 0

    async def write(self, work):
        self.attempts += 1
        if self.broken:
            raise OSError("database or disk is full")
        return await self.store.write(work)


class Counted:
    """A metric sink that remembers."""

    def __init__(self):
        self.samples = []

    def record(self, *sample):
        self.samples.append(sample)


def test_appended_lines_are_stored_in_order_and_make_their_group_and_stream(store, clock, scope) -> None:
    sink = BufferedLogSink(store, clock)
    sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "one"), LogLine(clock.now(), "two")])
    sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "three")])
    sink.append(scope, GROUP, STREAM, [])
    asyncio.run(sink.flush())
    assert stored(store) == ["one", "two", "three"]
    stream = store.read_now(lambda c: c.execute(sa.select(STREAMS)).one())
    assert (stream.name, stream.first_ms, stream.last_ms) == (STREAM, int(clock.now() * 1000), int(clock.now() * 1000))
    group = store.read_now(lambda c: c.execute(sa.select(GROUPS)).one())
    assert (group.name, group.stored_bytes) == (GROUP, len("onetwothree") + 3 * 26)


def test_accounts_and_regions_do_not_mix(store, clock, scope) -> None:
    sink = BufferedLogSink(store, clock)
    sink.append(scope, GROUP, STREAM, [LogLine(0.0, "here")])
    sink.append(Scope(scope.account, "eu-west-1"), GROUP, STREAM, [LogLine(0.0, "there")])
    asyncio.run(sink.flush())
    assert store.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(GROUPS)).scalar()) == 2


def test_what_a_handler_prints_never_breaks_the_sink(store, clock, scope) -> None:
    sink = BufferedLogSink(store, clock)
    odd = ["", "\x00", "lone \ud800 surrogate", "é\u1234\U0001f600", "x" * (MESSAGE_BYTES + 5), "é" * MESSAGE_BYTES]
    sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), message) for message in odd])
    sink.append(scope, GROUP, STREAM, [None])
    asyncio.run(sink.flush())
    got = stored(store)
    assert got[:4] == ["", "\x00", "lone ? surrogate", "é\u1234\U0001f600"]
    assert got[4:6] == ["x" * MESSAGE_BYTES, "x" * 5]
    assert "".join(got[6:]) == "é" * MESSAGE_BYTES
    assert max(len(message.encode()) for message in got) <= MESSAGE_BYTES


def test_a_store_that_fails_costs_nothing_once_it_works_again(store, scope, caplog) -> None:
    clock = MockClock()
    failing = FailingStore(store)
    sink = BufferedLogSink(failing, clock)

    async def scenario():
        for number in range(5):
            sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), f"line {number}")])
            await sink.flush()
            clock.move(0.1)
        failing.broken = False
        clock.move(60)
        await sink.flush()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert stored(store) == [f"line {number}" for number in range(5)]
    assert sum("cannot be stored" in record.message for record in caplog.records) == 1
    assert "stored again" in caplog.text
    assert failing.attempts < 5, "a store that fails must not be asked at every flush"


def test_full_memory_drops_the_oldest_and_counts_them(store, scope, caplog) -> None:
    clock, metrics = MockClock(), Counted()
    failing = FailingStore(store)
    sink = BufferedLogSink(failing, clock, metrics, limit=10 * 1000)

    async def scenario():
        for number in range(100):
            sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), f"{number:03d}" + "x" * 797)])
            assert sink._buffer.cost <= 10_000
            await sink.flush()
            clock.move(20)
        failing.broken = False
        await sink.flush()

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert [message[:3] for message in stored(store)] == [f"{number:03d}" for number in range(90, 100)]
    assert sum(sample[4] for sample in metrics.samples) == 90
    assert {sample[1:4] for sample in metrics.samples} == {("Penstock", "LogLinesDropped", (("LogGroupName", GROUP),))}
    assert "were dropped" in caplog.text


def test_a_reader_that_goes_away_does_not_stop_the_flush(store, clock, scope) -> None:
    sink = BufferedLogSink(store, clock)

    async def scenario():
        sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "kept")])
        reader = asyncio.ensure_future(sink.flush())
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await sink.flush()

    asyncio.run(scenario())
    assert stored(store) == ["kept"]


def test_a_flush_ends_though_lines_keep_coming(store, clock, scope) -> None:
    class Busy:
        """More lines come while each transaction runs."""

        attempts = 0

        async def write(self, work):
            self.attempts += 1
            sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), f"during {self.attempts}")])
            return await store.write(work)

    busy = Busy()
    sink = BufferedLogSink(busy, clock)
    sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "before")])
    asyncio.run(asyncio.wait_for(sink.flush(), 30))
    assert (busy.attempts, stored(store)) == (1, ["before"])
    asyncio.run(sink.flush())
    assert (busy.attempts, stored(store)) == (2, ["before", "during 1"])


def test_stopping_the_room_stores_what_is_buffered(store, clock, scope) -> None:
    async def scenario():
        room = Logs(store=store, clock=clock)
        await room.start()
        room.sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "last words")])
        await room.stop()

    asyncio.run(scenario())
    assert stored(store) == ["last words"]


def test_stopping_tries_once_more_and_says_what_is_lost(store, clock, scope, caplog) -> None:
    failing = FailingStore(store)
    sink = BufferedLogSink(failing, clock)

    async def scenario():
        sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "x" * 5000)])
        await sink.flush()
        await sink.close()
        assert "about 5 KB are lost" in caplog.text
        failing.broken = False
        await sink.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert failing.attempts == 3
    assert stored(store) == ["x" * 5000]


def test_the_room_flushes_by_itself(store, scope) -> None:
    async def scenario():
        clock = MockClock()
        room = Logs(store=store, clock=clock)
        await room.start()
        room.sink.append(scope, GROUP, STREAM, [LogLine(clock.now(), "soon")])
        for _ in range(200):
            await clock.advance(0.6)
            if stored(store):
                break
        await room.stop()

    asyncio.run(scenario())
    assert stored(store) == ["soon"]
