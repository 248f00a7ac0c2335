"""Statistics: what `p99`, `tm90` or `TM(2%:98%)` is and its value for a cell. Rule: pure, nothing is guessed.

Percentiles take the nearest rank: the smallest sample that at least so many per cent of the samples do not exceed.
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from penstock.observe.metrics.cell import Cell

SIMPLE: Mapping[str, Callable[[Cell], float]] = MappingProxyType(
    {
        "SampleCount": lambda cell: cell.count,
        "Sum": lambda cell: cell.total,
        "Average": lambda cell: cell.total / cell.count,
        "Minimum": lambda cell: cell.minimum,
        "Maximum": lambda cell: cell.maximum,
    }
)
_SHORT = re.compile(r"^(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)$")
_NUMBER = r"(-?\d+(?:\.\d{1,10})?(?:[eE][+-]?\d+)?)?"
_RANGE = re.compile(rf"^(TM|TC|TS|WM|PR)\({_NUMBER}(%?):{_NUMBER}(%?)\)$")


class StatisticError(ValueError):
    """The text names no statistic; the caller turns it into its operation's error code."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which percentages or values samples count; None leaves that end open."""

    low: float | None
    high: float | None
    percent: bool


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic that was understood."""

    text: str
    kind: str
    """One of `SIMPLE`, or `p`, `tm`, `tc`, `ts`, `wm`, `pr`."""
    bounds: Bounds | None = None

    @property
    def percentile(self) -> float | None:
        """The percentage of a `pNN`, else None."""
        return self.bounds.high if self.kind == "p" and self.bounds else None

    def of(self, cell: Cell) -> float | None:
        """The value, or None when the cell is empty or its samples cannot be told apart."""
        if not cell.count:
            return None
        if self.bounds is None:
            return SIMPLE[self.kind](cell)
        return _of_samples(self.kind, self.bounds, cell.samples()) if cell.has_detail else None


def parse_statistic(text: str) -> Statistic:
    """Understand a statistic's name. Raises `StatisticError`."""
    if text in SIMPLE:
        return Statistic(text, text)
    if text == "IQM":
        return Statistic(text, "tm", Bounds(25.0, 75.0, percent=True))
    short = _SHORT.match(text)
    if short and 0 <= float(short[2]) <= 100:
        return Statistic(text, short[1], Bounds(None, float(short[2]), percent=True))
    return _parse_range(text)


def _parse_range(text: str) -> Statistic:
    found = _RANGE.match(text.replace(" ", ""))
    if not found:
        raise StatisticError(f"{text!r} is not a statistic")
    kind, low_text, low_sign, high_text, high_sign = found.groups()
    low = None if low_text is None else float(low_text)
    high = None if high_text is None else float(high_text)
    percent = bool(low_sign or high_sign)
    mixed = percent and bool(low_sign) != bool(high_sign) and low is not None and high is not None
    if (low is None and high is None) or mixed or (kind == "PR" and percent):
        raise StatisticError(f"the bounds of {text!r} are neither two values nor two percentages")
    if low is not None and high is not None and low >= high:
        raise StatisticError(f"the bounds of {text!r} are not in rising order")
    if percent and not all(0 <= bound <= 100 for bound in (low, high) if bound is not None):
        raise StatisticError(f"the percentages of {text!r} are not between 0 and 100")
    return Statistic(text, kind.lower(), Bounds(low, high, percent))


def _of_samples(kind: str, bounds: Bounds, samples: list[tuple[float, float]]) -> float | None:
    everything = sum(count for _, count in samples)
    if kind == "p":
        return _at_rank(samples, (bounds.high or 0.0) / 100 * everything)
    kept = _kept(bounds, samples, everything)
    count = sum(n for _, n in kept)
    total = sum(value * n for value, n in kept)
    if kind == "tc":
        return count
    if kind == "ts":
        return total
    if kind == "pr":
        return 100.0 * count / everything
    if not count:
        return None
    return total / count if kind == "tm" else _winsorized(kept, samples, everything)


def _at_rank(samples: list[tuple[float, float]], rank: float) -> float:
    seen = 0.0
    for value, count in samples:
        seen += count
        if seen >= rank - 1e-9 * max(1.0, rank):
            return value
    return samples[-1][0]


def _kept(bounds: Bounds, samples: list[tuple[float, float]], everything: float) -> list[tuple[float, float]]:
    low, high = bounds.low, bounds.high
    if not bounds.percent:
        return [(v, n) for v, n in samples if (low is None or v > low) and (high is None or v <= high)]
    first = math.floor((low or 0.0) / 100 * everything + 1e-9)
    last = everything if high is None else math.ceil(high / 100 * everything - 1e-9)
    kept, seen = [], 0.0
    for value, count in samples:
        inside = min(seen + count, last) - max(seen, first)
        if inside > 0:
            kept.append((value, inside))
        seen += count
    return kept


def _winsorized(kept: list[tuple[float, float]], samples: list[tuple[float, float]], everything: float) -> float:
    """Samples outside take the value of the nearest one inside."""
    lowest, highest = kept[0][0], kept[-1][0]
    return sum(min(max(value, lowest), highest) * n for value, n in samples) / everything
