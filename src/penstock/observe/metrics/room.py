"""The metrics room: the sink that other rooms measure into, and the numbers read back.

Rule: `record` touches memory only. A kill loses at most the samples since the last flush, one real second ago.
"""

import logging
import math
from collections.abc import Mapping, Sequence

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.gateway.contract import Operation, RawHandler
from penstock.observe.api import cloudwatch_metrics, cloudwatch_query
from penstock.observe.metrics.loop import Flusher
from penstock.observe.metrics.memory import Memory
from penstock.observe.metrics.meter import MemoryMeter
from penstock.observe.metrics.model import FORGOTTEN_AFTER_S, Datum, ListedMetric, MetricKey, SeriesQuery
from penstock.observe.metrics.put import check_data, check_namespace, record_all
from penstock.observe.metrics.read import Periods, read_by_unit, read_periods, read_total
from penstock.observe.metrics.statistic import parse_statistic
from penstock.observe.ports import Dimensions
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)


class Metrics:
    """Implements `MetricSink` and `Room`. Use it from the event loop's thread."""

    def __init__(self, *, store: Store, clock: Clock):
        """Holds nothing until `start` has loaded the recent hours."""
        self._store = store
        self._clock = clock
        self._memory = Memory(held_since=0.0)
        self._flusher = Flusher(self._memory, store, clock)

    def record(
        self, scope: Scope, namespace: str, metric: str, dimensions: Dimensions, value: float, unit: str, at: float
    ) -> None:
        """Add one sample at business time `at`, stored by the minute. Numbers that are not finite are ignored."""
        if math.isfinite(value):
            cell = self._memory.cell((scope, namespace, metric, dimensions), unit, at, 60)
            if cell is not None:
                cell.add(value)

    def meter(self, scope: Scope, namespace: str, series: Sequence[tuple[str, Dimensions, str]]) -> MemoryMeter:
        """Series that are measured together: names, dimensions and units."""
        return MemoryMeter(self._memory, scope, namespace, series)

    async def put(self, scope: Scope, namespace: str, data: Sequence[Datum]) -> None:
        """`PutMetricData`: all or nothing. Raises `ApiError`."""
        check_namespace(namespace)
        check_data(data, self._clock.now())
        if record_all(self._memory, scope, namespace, data):
            await self._flusher.flush()

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
    ) -> list[tuple[float, float]]:  # fmt: skip
        """A statistic over [start, end) in periods of `period` seconds from `start`: (beginning, value), rising.

        Periods without samples are absent. Raises `StatisticError` for an unknown statistic.
        """
        wanted = parse_statistic(statistic)
        query = SeriesQuery(MetricKey(scope, namespace, metric, tuple(sorted(dimensions))), start, end, period)
        values = [(at, wanted.of(cell)) for at, cell in (await self.periods(query)).items()]
        return [(at, value) for at, value in values if value is not None]

    def total(self, connection: Connection, key: MetricKey, start: float, end: float) -> float | None:
        """The sum of a metric's samples, all units, in the minutes that begin within [start, end); None without any.

        For code that holds a snapshot already, in any thread: it reads nothing but numbers that never tear.
        """
        return read_total(self._memory, connection, key, start, end)

    async def periods(self, query: SeriesQuery) -> Periods:
        """The samples of each period, all asked units together."""
        return await read_periods(self._memory, self._store, query)

    async def periods_by_unit(self, query: SeriesQuery) -> dict[str, Periods]:
        """The samples of each period, units apart."""
        return await read_by_unit(self._memory, self._store, query)

    def listed(self, scope: Scope) -> list[ListedMetric]:
        """Every metric with a sample in the last two weeks, in a stable order."""
        since = self._clock.now() - FORGOTTEN_AFTER_S
        found = [ListedMetric(key, last_at) for key, last_at in self._memory.metrics(scope) if last_at >= since]
        return sorted(found, key=lambda metric: (metric.key.namespace, metric.key.name, metric.key.dimensions))

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """CloudWatch's metric operations."""
        return {
            "cloudwatch": {
                **cloudwatch_metrics.operations(self, self._clock),
                **cloudwatch_query.operations(self, self._clock),
            }
        }

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Load the recent hours and begin to flush."""
        await self._flusher.start()

    async def stop(self) -> None:
        """Flush everything."""
        await self._flusher.stop()

    async def flush(self) -> None:
        """Copy everything to the store now; normally the loop does it every real second."""
        await self._flusher.flush()
