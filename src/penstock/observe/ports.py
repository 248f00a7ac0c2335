"""How other rooms report what happened. Rule: both sinks are synchronous, touch memory only and never raise:
measuring must not slow or break what is measured. They are flushed to the store in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.core.context import Scope

Dimensions = tuple[tuple[str, str], ...]
"""Name and value pairs, sorted by name."""


class MetricSink(Protocol):
    """Where samples go."""

    def record(
        self, scope: Scope, namespace: str, metric: str, dimensions: Dimensions, value: float, unit: str, at: float
    ) -> None:
        """Add one sample at business time `at`."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log event; `message` without its final newline."""

    at: float
    message: str


class LogSink(Protocol):
    """Where function logs go."""

    def append(self, scope: Scope, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Add events in order; group and stream are created when they do not exist."""
