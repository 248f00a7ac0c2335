"""How time ranges are cut."""

import pytest

from penstock.observe.metrics.cell import Cell
from penstock.observe.metrics.windows import by_period, cell_start, is_valid_period, period_count, rounded_start

NOW = 1_800_000_000.0
DAY = 86400


@pytest.mark.parametrize(
    ("age", "period", "grain"),
    [
        (100, 10, 10),
        (103, 30, 30),
        (100, 1, 1),
        (100, 60, 60),
        (100, 300, 60),
        (16 * DAY, 300, 300),
        (64 * DAY, 3600, 3600),
    ],
)
def test_the_start_is_rounded_by_age_and_period(age: float, period: int, grain: int) -> None:
    start = NOW - age + 0.5
    rounded = rounded_start(start, period, NOW)
    assert rounded % grain == 0
    assert 0 <= start - rounded < grain


@pytest.mark.parametrize(
    ("period", "valid"),
    [
        (1, True),
        (5, True),
        (10, True),
        (20, True),
        (30, True),
        (60, True),
        (3600, True),
        (2, False),
        (15, False),
        (90, False),
        (0, False),
        (-60, False),
    ],
)
def test_periods(period: int, valid: bool) -> None:
    assert is_valid_period(period) is valid


def test_periods_begin_at_the_start_not_at_a_multiple() -> None:
    cells = []
    for minute in range(10):
        cell = Cell()
        cell.add(minute)
        cells.append((NOW + 60 * minute, cell))
    sums = by_period(cells, NOW + 120, NOW + 480, 180)
    assert {at - NOW: cell.total for at, cell in sums.items()} == {120: 2 + 3 + 4, 300: 5 + 6 + 7}


def test_the_end_is_exclusive_and_counts_round_up() -> None:
    assert period_count(0, 120, 60) == 2
    assert period_count(0, 121, 60) == 3
    assert period_count(10, 5, 60) == 0
    assert cell_start(119.999, 60) == 60
    assert cell_start(-0.5, 1) == -1
