"""How other rooms report what happened. Rule: both sinks are synchronous, touch memory only and never raise:
measuring must not slow or break what is measured. They are flushed to the store in the background.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from penstock.core.context import Scope

Dimensions = tuple[tuple[str, str], ...]
"""Name and value pairs, sorted by name."""


class Meter(Protocol):
    """Series that are always measured together, held open for whoever measures often."""

    def add(self, values: Sequence[float], at: float) -> None:
        """One sample for each series, in their order, at business time `at`."""


class MetricSink(Protocol):
    """Where samples go."""

    def record(
        self, scope: Scope, namespace: str, metric: str, dimensions: Dimensions, value: float, unit: str, at: float
    ) -> None:
        """Add one sample at business time `at`."""

    def meter(self, scope: Scope, namespace: str, series: Sequence[tuple[str, Dimensions, str]]) -> Meter:
        """The same for a bundle of series, each its name, dimensions and unit."""


class LogLine(NamedTuple):
    """One log event; `message` without its final newline."""

    at: float
    message: str


class LogSink(Protocol):
    """Where function logs go."""

    def append(self, scope: Scope, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Add events in order; group and stream are created when they do not exist."""
