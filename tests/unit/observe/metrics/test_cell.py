"""Cells and statistics against a slow exact computation over the raw samples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.observe.metrics.cell import EXACT_VALUES, MAX_BUCKETS, RELATIVE_ERROR, Cell, merged
from penstock.observe.metrics.model import StatisticSet
from penstock.observe.metrics.statistic import StatisticError, parse_statistic

POSITIVE = st.floats(min_value=0, max_value=1e12, allow_nan=False)
SAMPLES = st.lists(st.tuples(POSITIVE, st.integers(1, 5)), min_size=1, max_size=300)


def cell_of(*values: float) -> Cell:
    cell = Cell()
    for value in values:
        cell.add(value)
    return cell


def exact_percentile(samples: list[tuple[float, int]], percent: float) -> float:
    raw = sorted(value for value, count in samples for _ in range(count))
    return raw[max(0, math.ceil(percent / 100 * len(raw) - 1e-9) - 1)]


@given(SAMPLES, st.integers(1, 7))
def test_cells_add_up_to_what_the_samples_say(samples: list[tuple[float, int]], parts: int) -> None:
    cells = [Cell() for _ in range(parts)]
    for number, (value, count) in enumerate(samples):
        cells[number % parts].add(value, count)
    whole = merged(cells)
    assert whole.count == sum(count for _, count in samples)
    assert whole.total == pytest.approx(math.fsum(value * count for value, count in samples))
    assert whole.minimum == min(value for value, _ in samples)
    assert whole.maximum == max(value for value, _ in samples)


@given(SAMPLES, st.integers(1, 4), st.sampled_from([0.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_percentiles_are_within_the_stated_error(samples, parts, percent) -> None:
    cells = [Cell() for _ in range(parts)]
    for number, (value, count) in enumerate(samples):
        cells[number % parts].add(value, count)
    found = parse_statistic(f"p{percent}").of(merged(cells))
    assert found == pytest.approx(exact_percentile(samples, percent), rel=RELATIVE_ERROR * 1.001)


@given(SAMPLES)
def test_a_cell_at_rest_is_the_same_cell(samples) -> None:
    cell = Cell()
    for value, count in samples:
        cell.add(value, count)
    again = Cell.of(cell.state())
    assert again.samples() == cell.samples()
    assert again.state() == cell.state()


def test_few_distinct_values_are_exact_however_many_samples() -> None:
    cell = Cell()
    for number in range(100_000):
        cell.add(float(number % EXACT_VALUES))
    assert not cell.buckets
    assert parse_statistic("p50").of(cell) == 49.0


def test_a_cell_stays_small_whatever_comes() -> None:
    cell = Cell()
    for exponent in range(-1000, 1000):
        for factor in range(1, 10):
            cell.add(factor * 2.0**exponent)
    assert len(cell.buckets) <= MAX_BUCKETS
    assert len(cell.values or ()) <= EXACT_VALUES
    assert parse_statistic("p100").of(cell) == pytest.approx(9 * 2.0**999, rel=RELATIVE_ERROR)


ONE_TO_TEN = [float(n) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SampleCount", 10), ("Sum", 55), ("Average", 5.5), ("Minimum", 1), ("Maximum", 10),
        ("p0", 1), ("p10", 1), ("p50", 5), ("p90", 9), ("p95", 10), ("p99.9", 10), ("p100", 10),
        ("tm90", 5), ("TM(:90%)", 5), ("TM(10%:90%)", 5.5), ("TM(2:4)", 3.5), ("TM(:4)", 2.5), ("TM(8:)", 9.5),
        ("tc90", 9), ("TC(80%:)", 2), ("TC(2:5)", 3), ("ts90", 45), ("TS(80%:)", 19), ("TS(3:5)", 9),
        ("IQM", 5.5), ("wm90", 5.4), ("WM(10%:90%)", 5.5), ("PR(:3)", 30), ("PR(3:5)", 20), ("PR(9:)", 10),
        ("TM(100:200)", None), ("TC(100:200)", 0),
    ],
)  # fmt: skip
def test_statistics_of_one_to_ten(text: str, value: float | None) -> None:
    found = parse_statistic(text).of(cell_of(*ONE_TO_TEN))
    if text == "IQM":  # ranks 3 to 8
        assert found == 5.5
    else:
        assert found == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "text",
    ["", "average", "p101", "p-1", "p", "pp9", "P90", "TM90", "tm", "TM(5:2%)", "TM(90%:10%)", "TM(:)", "PR(1%:2%)",
     "TM(1:2", "TM(0%:101%)", "p99 ", "tm(1:2)", "IQR"],
)  # fmt: skip
def test_not_a_statistic(text: str) -> None:
    with pytest.raises(StatisticError):
        parse_statistic(text)


@pytest.mark.parametrize(
    ("statistics", "p50"),
    [
        (StatisticSet(1, 5, 5, 5), 5),
        (StatisticSet(4, 20, 5, 5), 5),
        (StatisticSet(4, 20, 1, 9), None),
    ],
    ids=["one sample", "equal samples", "samples lost"],
)
def test_percentiles_of_statistic_sets(statistics: StatisticSet, p50: float | None) -> None:
    cell = Cell()
    cell.add_set(statistics)
    assert parse_statistic("p50").of(cell) == p50
    assert parse_statistic("Sum").of(cell) == statistics.total
    assert parse_statistic("Average").of(cell) == 5


def test_a_negative_sample_ends_percentiles_as_in_aws() -> None:
    cell = cell_of(1, 2, -3)
    assert parse_statistic("p50").of(cell) is None
    assert parse_statistic("Minimum").of(cell) == -3


def test_adding_one_by_one_gives_what_adding_cells_gives():
    """`add` takes a shorter way once there are buckets; it must lead to the same place."""
    samples = [1.0 + n / 7 for n in range(3 * EXACT_VALUES)] + [0.0, 1e-308, 1e9]
    one, parts = Cell(), []
    for value in samples:
        one.add(value)
        parts.append(Cell())
        parts[-1].add(value)
    whole = merged(parts)
    assert one.samples() == whole.samples()
    assert (one.count, one.minimum, one.maximum) == (whole.count, 0.0, 1e9)
