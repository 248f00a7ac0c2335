"""A meter writes where single samples would, through flushes, minutes and forgetting."""

import pytest

from penstock.core.context import Scope
from penstock.observe.metrics.memory import HELD_S, Memory
from penstock.observe.metrics.meter import MemoryMeter
from penstock.observe.metrics.model import MetricKey

HERE = Scope("1" * 12, "eu-west-1")
SERIES = [("Errors", (), "Count"), ("Duration", (("FunctionName", "f"),), "Milliseconds")]
AT = 600_000.0


def totals(memory: Memory, name: str, dimensions=()) -> dict[int, float]:
    units = memory.units(MetricKey(HERE, "N", name, dimensions))
    return {start: cell.total for series in units.values() for start, cell in series.cells.items()}


@pytest.fixture
def memory() -> Memory:
    return Memory(held_since=AT - HELD_S)


def test_each_series_gets_its_value_in_the_minute_of_the_sample(memory):
    meter = MemoryMeter(memory, HERE, "N", SERIES)
    for at, duration in ((AT, 10.0), (AT + 59, 20.0), (AT + 60, 40.0)):
        meter.add((1.0, duration), at)
    assert totals(memory, "Errors") == {600_000: 2.0, 600_060: 1.0}
    assert totals(memory, "Duration", SERIES[1][1]) == {600_000: 30.0, 600_060: 40.0}


def test_two_meters_of_one_series_add_up(memory):
    for _ in range(2):
        MemoryMeter(memory, HERE, "N", SERIES).add((1.0, 2.0), AT)
    assert totals(memory, "Errors") == {600_000: 2.0}


def test_every_flush_sees_what_came_after_the_one_before(memory):
    meter = MemoryMeter(memory, HERE, "N", SERIES)
    seen = []
    for _ in range(3):
        meter.add((1.0, 2.0), AT)
        seen.append({series.key.name: state.total for series, _, state in memory.take().cells})
    assert seen == [
        {"Errors": 1.0, "Duration": 2.0},
        {"Errors": 2.0, "Duration": 4.0},
        {"Errors": 3.0, "Duration": 6.0},
    ]
    assert not memory.take()


def test_samples_older_than_what_is_held_wait_for_the_store(memory):
    meter = MemoryMeter(memory, HERE, "N", SERIES)
    for _ in range(2):
        meter.add((1.0, 2.0), memory.held_since - 120)
        (late,) = [state.total for series, _, state in memory.take().late if series.key.name == "Errors"]
        assert late == 1.0
    assert totals(memory, "Errors") == {}


def test_a_cell_that_was_let_go_is_not_written_to(memory):
    meter = MemoryMeter(memory, HERE, "N", SERIES)
    meter.add((1.0, 2.0), AT)
    memory.take()
    memory.forget(AT + HELD_S + 3600)
    meter.add((1.0, 2.0), AT)
    assert totals(memory, "Errors") == {}
    assert len(memory.take().late) == 2


def test_a_full_memory_refuses_new_series_and_goes_on(memory):
    small = Memory(held_since=AT - HELD_S, max_series=1)
    meter = MemoryMeter(small, HERE, "N", SERIES)
    for _ in range(2):
        meter.add((1.0, 2.0), AT)
    assert totals(small, "Errors") == {600_000: 2.0}
    assert small.refused


def test_numbers_that_are_not_finite_are_left_out(memory):
    MemoryMeter(memory, HERE, "N", SERIES).add((float("nan"), 2.0), AT)
    assert totals(memory, "Errors") == {600_000: 0.0}
    assert totals(memory, "Duration", SERIES[1][1]) == {600_000: 2.0}
