"""Sweeping: what is past its retention or deleted goes, in small steps; nothing else does."""

import asyncio

import sqlalchemy as sa

from penstock.observe.logs.records import CHUNKS, GROUPS, STREAMS, TRASH
from penstock.observe.logs.sweeper import Sweeper, _before

DAY_S = 24 * 3600


def count(store, table) -> int:
    return store.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(table)).scalar())


class CountingStore:
    """Counts transactions."""

    def __init__(self, store):
        self.store, self.writes = store, 0
        self.read = store.read

    async def write(self, work):
        self.writes += 1
        return await self.store.write(work)


def sweep(store, clock, step=500) -> int:
    counting = CountingStore(store)

    async def scenario():
        sweeping = asyncio.ensure_future(Sweeper(counting, clock, step).sweep())
        while not sweeping.done():
            await clock.advance(0.1)
            await asyncio.sleep(0.001)
        await sweeping

    asyncio.run(scenario())
    return counting.writes


def test_events_past_the_retention_go_and_others_stay(store, clock, call, put) -> None:
    put((0, "old"))
    put((0, "kept"), group="other")
    call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    clock.move(DAY_S - 60)
    put((0, "new"))
    sweep(store, clock)
    assert count(store, CHUNKS) == 3
    clock.move(120)
    sweep(store, clock)
    assert count(store, CHUNKS) == 2
    assert [event["message"] for event in call("FilterLogEvents", logGroupName="g")["events"]] == ["new"]
    assert [event["message"] for event in call("FilterLogEvents", logGroupName="other")["events"]] == ["kept"]
    assert call("DescribeLogGroups", logGroupNamePrefix="g")["logGroups"][0]["storedBytes"] == len("new") + 26


def test_expired_events_are_not_shown_before_they_are_swept(clock, call, put) -> None:
    put((0, "old"))
    call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    clock.move(DAY_S + 1)
    assert call("FilterLogEvents", logGroupName="g")["events"] == []
    call("DeleteRetentionPolicy", logGroupName="g")
    assert len(call("FilterLogEvents", logGroupName="g")["events"]) == 1


def test_a_deleted_group_is_swept_in_small_steps(store, clock, call, put) -> None:
    for number in range(12):
        put((0, "x"), stream=f"s{number}")
    put((0, "kept"), group="other")
    call("DeleteLogGroup", logGroupName="g")
    assert sweep(store, clock, step=5) >= 6
    assert [count(store, table) for table in (GROUPS, STREAMS, CHUNKS, TRASH)] == [1, 1, 1, 0]


def test_a_deleted_stream_leaves_its_group(store, clock, call, put) -> None:
    put((0, "gone"))
    put((0, "kept"), stream="t")
    call("DeleteLogStream", logGroupName="g", logStreamName="s")
    assert [event["message"] for event in call("FilterLogEvents", logGroupName="g")["events"]] == ["kept"]
    sweep(store, clock)
    assert [count(store, table) for table in (GROUPS, STREAMS, CHUNKS, TRASH)] == [1, 1, 1, 0]
    assert call("DescribeLogGroups")["logGroups"][0]["storedBytes"] == len("kept") + 26


def test_nothing_due_writes_nothing(store, clock, put) -> None:
    put((0, "x"))
    assert sweep(store, clock) == 0


def test_looking_for_what_is_due_uses_an_index(store) -> None:
    query = str(_before(1, 2).compile(compile_kwargs={"literal_binds": True}))
    plan = store.read_now(lambda connection: connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    assert "USING INDEX log_chunks_of_group_back (group_id=? AND last_ms<?)" in plan[0][3]
