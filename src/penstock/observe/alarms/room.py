"""The alarms room: alarms are written through the API and evaluated by a loop.

Rule: state, history and timestamps change in one transaction; `AlarmStateChanged` is published after its commit.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.gateway.contract import Operation, RawHandler
from penstock.observe.alarms.datapoints import Fetch
from penstock.observe.alarms.loop import Evaluator
from penstock.observe.alarms.model import AlarmState, AlarmStateChanged
from penstock.observe.alarms.states import read_states
from penstock.observe.api import cloudwatch_alarm_changes, cloudwatch_alarm_reads, cloudwatch_alarms
from penstock.store.database import Connection, Store

T = TypeVar("T")


class Alarms:
    """Implements `Room`."""

    def __init__(self, *, store: Store, clock: Clock, bus: Bus, fetch: Fetch):
        """`fetch` is `Metrics.periods`."""
        self._store = store
        self._clock = clock
        self._bus = bus
        self._evaluator = Evaluator(store, clock, bus, fetch)

    async def evaluate_now(self, scope: Scope, names: Iterable[str]) -> dict[str, AlarmState | None]:
        """Evaluate the named alarms on the periods closed by now, and give their states; None for an unknown name."""
        wanted = list(names)
        await self._evaluator.evaluate(scope, wanted)
        return await self._store.read(lambda connection: read_states(connection, scope, wanted))

    async def evaluate_all(self) -> None:
        """Evaluate every alarm now; normally the loop does it."""
        await self._evaluator.evaluate()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a read on one snapshot."""
        return await self._store.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a write in one transaction, tell its fact if it returns one, and evaluate soon."""
        result = await self._store.write(work)
        if isinstance(result, AlarmStateChanged):
            self._bus.publish(result)
        self._evaluator.wake()
        return result

    def now(self) -> float:
        """Business time."""
        return self._clock.now()

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """CloudWatch's alarm operations."""
        return {
            "cloudwatch": {
                **cloudwatch_alarms.operations(self),
                **cloudwatch_alarm_reads.operations(self),
                **cloudwatch_alarm_changes.operations(self),
            }
        }

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Start evaluating."""
        self._evaluator.start()

    async def stop(self) -> None:
        """Stop evaluating."""
        await self._evaluator.stop()
