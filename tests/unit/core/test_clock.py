"""Both clocks: business time may run fast and never backwards; the mock moves only by hand."""

import asyncio

from penstock.core.clock import MockClock, SystemClock, iso


def test_an_accelerated_clock_started_again_goes_on_where_it_would_be() -> None:
    first = SystemClock(speed=60)
    anchor = first.real() - 10
    again = SystemClock(speed=60, anchor_real=anchor, anchor_business=anchor)
    assert 600 <= again.now() - anchor < 660


def test_the_mock_wakes_sleepers_in_order_each_at_its_own_instant() -> None:
    clock, seen = MockClock(1000.0), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        seen.append((seconds, clock.now()))

    async def scenario():
        tasks = [asyncio.ensure_future(sleeper(s)) for s in (5, 1, 3, 60)]
        await asyncio.sleep(0)
        await clock.advance(10)
        tasks[-1].cancel()

    asyncio.run(scenario())
    assert seen == [(1, 1001.0), (3, 1003.0), (5, 1005.0)]
    assert clock.now() == 1010.0


def test_iso_reads_as_aws_prints_it() -> None:
    assert iso(1_800_000_000.125) == "2027-01-15T08:00:00.125+0000"
