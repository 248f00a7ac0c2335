"""The logs room: the sink that execution writes to, the Logs API, and the loops that flush and sweep."""

from collections.abc import Mapping

from penstock.core.clock import Clock
from penstock.core.loop import Loop
from penstock.gateway.contract import Operation, RawHandler
from penstock.observe.api import logs
from penstock.observe.logs.sink import BufferedLogSink
from penstock.observe.logs.sweeper import Sweeper
from penstock.observe.ports import MetricSink
from penstock.store.database import Store

FLUSH_S = 0.5
SWEEP_S = 3600.0


class Logs:
    """Give `sink` to whoever produces log lines."""

    def __init__(self, *, store: Store, clock: Clock, metrics: MetricSink | None = None):
        """`metrics` hears of lines that had to be dropped (`Penstock/LogLinesDropped`)."""
        self.sink = BufferedLogSink(store, clock, metrics)
        self.sweeper = Sweeper(store, clock)
        self._store = store
        self._clock = clock
        # Flushing follows real time (the floor): accelerated business time must not multiply disk flushes.
        self._flushing = Loop("logs flush", self.sink.flush, clock, interval_s=0.0, floor_s=FLUSH_S)
        self._sweeping = Loop("logs sweep", self.sweeper.sweep, clock, interval_s=SWEEP_S, floor_s=FLUSH_S)

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """The Logs API."""
        return {"logs": logs.operations(self._store, self._clock, self.sink)}

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Start flushing and sweeping."""
        self._flushing.start()
        self._sweeping.start()

    async def stop(self) -> None:
        """Stop the loops and store what is buffered."""
        await self._sweeping.stop()
        await self._flushing.stop()
        await self.sink.close()
