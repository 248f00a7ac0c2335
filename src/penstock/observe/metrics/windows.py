"""Periods: how a time range is cut, and which cell falls where. Rule: pure arithmetic on epoch seconds.

The first period begins at the rounded start of the range, as AWS does it, not at a multiple of the period.
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

import math
from collections.abc import Iterable

from penstock.observe.metrics.cell import Cell
from penstock.observe.metrics.model import DAY_S, HOUR_S, MINUTE_S

HIGH_RESOLUTION_PERIODS = frozenset({1, 5, 10, 20, 30})


def is_valid_period(period_s: int) -> bool:
    """1, 5, 10, 20, 30, or a multiple of 60."""
    return period_s in HIGH_RESOLUTION_PERIODS or (period_s > 0 and period_s % MINUTE_S == 0)


def cell_start(at: float, resolution_s: int) -> int:
    """Where the cell that holds instant `at` begins."""
    return math.floor(at / resolution_s) * resolution_s


def rounded_start(start: float, period_s: int, now: float) -> float:
    """`start` rounded down: to the period below a minute, else to 1 minute, 5 minutes or 1 hour, coarser with age."""
    age = now - start
    if period_s < MINUTE_S:
        grain = period_s
    elif age <= 15 * DAY_S:
        grain = MINUTE_S
    else:
        grain = 5 * MINUTE_S if age <= 63 * DAY_S else HOUR_S
    return float(math.floor(start / grain) * grain)


def period_count(start: float, end: float, period_s: int) -> int:
    """How many periods begin within [start, end)."""
    return max(0, math.ceil((end - start) / period_s))


def by_period(cells: Iterable[tuple[float, Cell]], start: float, end: float, period_s: int) -> dict[float, Cell]:
    """The cells that begin within [start, end), added up per period; keys are the periods' beginnings, rising."""
    sums: dict[float, Cell] = {}
    for at, cell in cells:
        if start <= at < end:
            begins = start + math.floor((at - start) / period_s) * period_s
            sums.setdefault(begins, Cell()).merge(cell)
    return dict(sorted(sums.items()))
