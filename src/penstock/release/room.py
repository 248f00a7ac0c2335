"""The release room: CodeDeploy's API, the deployment tick, the timeline. Rule: only wiring here."""

from collections.abc import Mapping
from functools import partial

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.core.loop import Loop
from penstock.gateway.contract import Operation, RawHandler
from penstock.release.api import applications, configs, deployments, groups, tags, targets
from penstock.release.commits import Commits
from penstock.release.desk import Desk
from penstock.release.hooks import HookRunner
from penstock.release.http import routes
from penstock.release.markers.recorder import Markers
from penstock.release.ports import AlarmStates, AliasTable, ErrorRates, HookInvoker
from penstock.release.tick import Tick
from penstock.store.database import Store

TICK_S = 1.0
"""Business seconds between two looks at the alarms and aliases of active deployments."""


class Release:
    """Implements `Room`."""

    def __init__(  # noqa: PLR0913 - the composition root names them all
        self,
        *,
        store: Store,
        clock: Clock,
        dice: Dice,
        markers: Markers,
        routing: AliasTable,
        hooks: HookInvoker,
        alarms: AlarmStates,
        rates: ErrorRates,
        bus: Bus,
    ) -> None:
        """`markers` is the one that the registry records its changes with."""
        self._commits = Commits(store)
        self._hooks = HookRunner(store=store, clock=clock, dice=dice, invoker=hooks, finished=self.wake)
        tick = Tick(
            store=store,
            commits=self._commits,
            clock=clock,
            markers=markers,
            alarms=alarms,
            routing=routing,
            hooks=self._hooks,
            bus=bus,
        )
        self._desk = Desk(store, self._commits, clock, dice, markers, tick, routing, rates, self.wake)
        self._loop = Loop("deployments", tick.run, clock, TICK_S)

    def wake(self, *_: object) -> None:
        """There may be something to do: tick now. Takes any bus fact, so that app.py can subscribe it to alarms."""
        self._loop.wake()

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """CodeDeploy."""
        families = (applications, groups, configs, deployments, targets, tags)
        served = {name: use for family in families for name, use in family.OPERATIONS.items()}
        return {"codedeploy": {name: partial(use, self._desk) for name, use in served.items()}}

    def routes(self) -> Mapping[str, RawHandler]:
        """`/_penstock/timeline`, `live`, `rollback`, `markers`."""
        return routes(self._desk)

    async def start(self) -> None:
        """Start the tick: it goes on from what the store says."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop the tick between two transactions; hooks in flight are invoked again by the next start."""
        await self._loop.stop()
        await self._hooks.stop()
        await self._commits.drain()
