"""A cell: every sample of one series in one minute (or second), in bounded space. Rule: adding is a few operations.

Count, sum, minimum and maximum are exact. The samples themselves are kept exactly, as value and count, up to
`EXACT_VALUES` distinct ones; beyond that they become a DDSketch: logarithmic buckets whose middle is within
`RELATIVE_ERROR` of every sample in them. Cells add up, so an hour is the sum of its minutes.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ddsketch.mapping import LogarithmicMapping

from penstock.observe.metrics.model import StatisticSet

EXACT_VALUES = 100
RELATIVE_ERROR = 0.005
MAX_BUCKETS = 2048
BUCKETS = LogarithmicMapping(RELATIVE_ERROR)


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell at rest, as it is stored and loaded. `detail` is None when the samples cannot be told apart."""

    count: float
    total: float
    minimum: float
    maximum: float
    values: tuple[tuple[float, float], ...] | None
    buckets: tuple[tuple[int, float], ...]


class Cell:
    """Accumulates samples."""

    __slots__ = ("buckets", "count", "maximum", "minimum", "total", "values")

    def __init__(self) -> None:
        """An empty cell."""
        self.count = 0.0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.values: dict[float, float] | None = {}
        """None once detail is lost: a statistic set or a negative sample came in, so no percentiles, as in AWS."""
        self.buckets: dict[int, float] = {}

    @property
    def has_detail(self) -> bool:
        """Whether percentiles can be told."""
        return self.values is not None

    def add(self, value: float, count: float = 1.0) -> None:
        """Add `count` samples of `value`."""
        # Written out rather than called: every invoke comes through here thirteen times.
        self.count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        values = self.values
        if values is None:
            return
        if value in values:
            values[value] += count
        elif self.buckets and value > BUCKETS.min_possible:
            bucket = BUCKETS.key(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
            if len(self.buckets) > MAX_BUCKETS:
                self._fold_lowest()
        else:
            self._new_value(value, count)

    def add_set(self, statistics: StatisticSet) -> None:
        """Add samples that come aggregated."""
        if statistics.is_one_value:
            self.add(statistics.minimum, statistics.count)
            return
        self._add_totals(statistics.count, statistics.total, statistics.minimum, statistics.maximum)
        self._lose_detail()

    def merge(self, other: "Cell") -> None:
        """Add everything `other` holds."""
        if not other.count:
            return
        self._add_totals(other.count, other.total, other.minimum, other.maximum)
        if self.values is None or other.values is None:
            self._lose_detail()
            return
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
        if len(self.values) > EXACT_VALUES:
            self._to_buckets()

    def samples(self) -> list[tuple[float, float]]:
        """Value and count in rising order; a bucket gives its middle, kept within minimum and maximum."""
        if self.values is None:
            return []
        middles = [
            (min(max(BUCKETS.value(bucket), self.minimum), self.maximum), n) for bucket, n in self.buckets.items()
        ]
        return sorted([*self.values.items(), *middles])

    def state(self) -> CellState:
        """What must be kept to make this cell again."""
        values = None if self.values is None else tuple(self.values.items())
        return CellState(self.count, self.total, self.minimum, self.maximum, values, tuple(self.buckets.items()))

    @classmethod
    def of(cls, state: CellState) -> "Cell":
        """The cell that `state` was taken from."""
        cell = cls()
        cell._add_totals(state.count, state.total, state.minimum, state.maximum)
        cell.values = None if state.values is None else dict(state.values)
        cell.buckets = dict(state.buckets)
        return cell

    def _add_totals(self, count: float, total: float, minimum: float, maximum: float) -> None:
        self.count += count
        self.total += total
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)

    def _new_value(self, value: float, count: float) -> None:
        if value < 0:
            self._lose_detail()
        elif self.values is not None:
            self.values[value] = count
            if len(self.values) > EXACT_VALUES or self.buckets:
                self._to_buckets()

    def _lose_detail(self) -> None:
        self.values = None
        self.buckets = {}

    def _to_buckets(self) -> None:
        """Zero has no logarithm and stays exact; so does anything too small for the sketch."""
        values = self.values or {}
        for value in [value for value in values if value > BUCKETS.min_possible]:
            bucket = BUCKETS.key(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + values.pop(value)
        if len(values) > EXACT_VALUES:  # thousands of distinct values below 1e-300: count them as zero
            self.values = {0.0: sum(values.values())}
        if len(self.buckets) > MAX_BUCKETS:
            self._fold_lowest()

    def _fold_lowest(self) -> None:
        """Keep the high end exact: it is what p95 and p99 are read from."""
        buckets = sorted(self.buckets)
        spare = buckets[: len(buckets) - MAX_BUCKETS + 1]
        self.buckets[spare[-1]] = sum(self.buckets.pop(bucket) for bucket in spare)


def merged(cells: Iterable[Cell]) -> Cell:
    """One cell with everything in `cells`."""
    whole = Cell()
    for cell in cells:
        whole.merge(cell)
    return whole
