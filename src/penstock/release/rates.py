"""Error rates from the metrics that execution records. Rule: the only place here that knows metric names."""

from typing import Protocol

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.observe.ports import Dimensions
from penstock.release.ports import Rate

MINUTE_S = 60


class SeriesReader(Protocol):
    """What is needed of `observe.metrics.room.Metrics`."""

    async def series(
        self,
        scope: Scope,
        namespace: str,
        metric: str,
        dimensions: Dimensions,
        start: float,
        end: float,
        period: int,
        statistic: str,
    ) -> list[tuple[float, float]]:
        """A statistic in periods of `period` seconds."""


class MeasuredRates:
    """`ErrorRates` over `AWS/Lambda` Invocations and Errors of an alias."""

    def __init__(self, metrics: SeriesReader, clock: Clock) -> None:
        """See the class."""
        self._metrics = metrics
        self._clock = clock

    async def rate(
        self, scope: Scope, function: str, alias: str, version: str | None, start: float, end: float
    ) -> Rate | None:
        """Samples are kept by the minute: see `whole_minutes`."""
        first, last = whole_minutes(start, end, self._clock.now())
        if last <= first:
            return None
        pairs = [("FunctionName", function), ("Resource", f"{function}:{alias}")]
        dimensions = tuple(sorted(pairs + ([("ExecutedVersion", version)] if version else [])))

        async def total(metric: str) -> float | None:
            points = await self._metrics.series(scope, "AWS/Lambda", metric, dimensions, first, last, MINUTE_S, "Sum")
            return sum(value for _, value in points) if points else None

        requests = await total("Invocations")
        return None if requests is None else Rate(requests, await total("Errors") or 0.0)


def whole_minutes(start: float, end: float, now: float) -> tuple[float, float]:
    """The minutes to count for [start, end).

    A minute in which something changed holds requests from both sides, so it counts for neither; the minute still
    running counts, as nothing comes after it yet. Only when that leaves nothing, the minutes touched are taken.
    """
    first = -(-start // MINUTE_S) * MINUTE_S
    last = (-(-end // MINUTE_S) if end >= now else end // MINUTE_S) * MINUTE_S
    if last > first:
        return first, last
    return start // MINUTE_S * MINUTE_S, -(-end // MINUTE_S) * MINUTE_S
