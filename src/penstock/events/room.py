"""The events room: Invoke, and the delivery of what Invoke accepted. Rule: nothing accepted is ever lost."""

from collections.abc import Mapping

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.events.api import invoke as invoke_api
from penstock.events.api import stream as stream_api
from penstock.events.async_invoke.loop import AsyncWorker
from penstock.events.invoke import Invoker
from penstock.execution.model import Executor
from penstock.gateway.contract import Operation, RawHandler
from penstock.observe.ports import MetricSink
from penstock.registry.routing import Routes
from penstock.store.database import Store


class Events:
    """See the module; a `gateway.contract.Room`."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        dice: Dice,
        bus: Bus,
        routes: Routes,
        executor: Executor,
        metrics: MetricSink,
    ):
        """Wire the synchronous road and the worker of the asynchronous one over the same executor."""
        self.invoker = Invoker(routes=routes, executor=executor, dice=dice)
        self._operations = {**invoke_api.operations(self.invoker, store, bus), **stream_api.operations(self.invoker)}
        self._worker = AsyncWorker(
            store=store,
            clock=clock,
            bus=bus,
            executor=executor,
            resolve=lambda event: routes.resolve(event.scope, event.function, event.qualifier),
            roll=dice.random,
            metrics=metrics,
        )

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        return {"lambda": self._operations}

    def routes(self) -> Mapping[str, RawHandler]:
        return {}

    async def start(self) -> None:
        self._worker.start()

    async def stop(self) -> None:
        await self._worker.stop()
