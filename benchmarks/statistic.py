"""Medians, percentiles and their spread."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and highest it was seen at."""

    median: float
    lowest: float
    highest: float

    def text(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.lowest:.{digits}f}–{self.highest:.{digits}f})"


def percentile(rising: Sequence[float], percent: float) -> float:
    """The value at or below which `percent` of the sorted values lie."""
    return rising[max(0, math.ceil(len(rising) * percent / 100) - 1)]


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Round by round, so that what the machine did in one round cancels out."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
