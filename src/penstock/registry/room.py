"""The registry as a room: the Lambda management API, the routing table and the packages."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.gateway.contract import Operation, RawHandler
from penstock.registry.api import aliases, code, functions, layers, policies, provisioned, settings, versions
from penstock.registry.artifacts import Artifacts
from penstock.registry.desk import Desk
from penstock.registry.download import PREFIX
from penstock.registry.environment import opened
from penstock.registry.facts import FunctionChanged
from penstock.registry.loop import Settler, Sweeper
from penstock.registry.model import Alias, Function, FunctionVersion, ProvisionedConfig
from penstock.registry.ports import AliasGuard, ChangeLog, Cipher, ObjectStore, Thermometer
from penstock.registry.provisioned_records import read_provisioned
from penstock.registry.records import read_aliases, read_functions, read_versions
from penstock.registry.routing import Routes
from penstock.store.database import Connection, Store

FAMILIES = (functions, versions, aliases, policies, provisioned, settings, layers)


class Registry:
    """Functions, versions and aliases of one server.

    `routing` says where invokes go, `artifacts` where their code is. `settle_s` is the least real time that something
    stays Pending or InProgress, so that callers meet the same states as in AWS.
    """

    def __init__(  # noqa: PLR0913 - every dependency by name
        self,
        *,
        store: Store,
        clock: Clock,
        dice: Dice,
        cipher: Cipher,
        changes: ChangeLog,
        guard: AliasGuard,
        data: Path,
        account_concurrency: int,
        bus: Bus,
        thermometer: Thermometer,
        objects: ObjectStore | None = None,
        settle_s: float = 0.3,
    ) -> None:
        """Creates directories below `data`; nothing runs until `start`."""
        self.routing = Routes()
        self.artifacts = Artifacts(data=data, clock=clock)
        self._desk = Desk(
            store=store,
            clock=clock,
            dice=dice,
            cipher=cipher,
            changes=changes,
            guard=guard,
            artifacts=self.artifacts,
            routes=self.routing,
            bus=bus,
            account_concurrency=account_concurrency,
            thermometer=thermometer,
            objects=objects,
        )
        self._settler = Settler(self._desk, settle_s)
        self._sweeper = Sweeper(self._desk)
        bus.subscribe(FunctionChanged, lambda _: self._settler.loop.wake())

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        bound = {name: partial(act, self._desk) for family in FAMILIES for name, act in family.OPERATIONS.items()}
        return {"lambda": bound}

    def routes(self) -> Mapping[str, RawHandler]:
        return {PREFIX: partial(code.serve, self._desk)}

    async def start(self) -> None:
        self.routing.load(*await self._desk.store.read(self._everything))
        self._settler.loop.start()
        self._sweeper.loop.start()

    async def stop(self) -> None:
        await self._sweeper.loop.stop()
        await self._settler.stop()
        await self._desk.drain()

    def _everything(
        self, connection: Connection
    ) -> tuple[list[Function], list[FunctionVersion], list[Alias], list[ProvisionedConfig]]:
        versions_opened = [opened(self._desk.cipher, version) for version in read_versions(connection)]
        return read_functions(connection), versions_opened, read_aliases(connection), read_provisioned(connection)
