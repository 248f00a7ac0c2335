"""What every use case needs, and how it commits: one transaction, then memory, then the bus.

Rule: once a write was handed to the store, memory follows it even when the caller has gone away.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ParamSpec, TypeVar

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.context import RequestContext, Scope
from penstock.core.dice import Dice, new_uuid
from penstock.registry.artifacts import Artifacts
from penstock.registry.download import CodeLinks
from penstock.registry.environment import opened
from penstock.registry.facts import FunctionChanged
from penstock.registry.model import FunctionVersion
from penstock.registry.ports import AliasGuard, Change, ChangeLog, Cipher, ObjectStore, Thermometer
from penstock.registry.routing import Routes
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)
T = TypeVar("T")
P = ParamSpec("P")


class Transaction:
    """One write: its connection, and what follows when it is durable."""

    def __init__(self, connection: Connection) -> None:
        """See the class."""
        self.connection = connection
        self.followers: list[Callable[[], object]] = []

    def then(self, follower: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call `follower` on the event loop after the commit, in the order given."""
        self.followers.append(partial(follower, *args, **kwargs))


class Desk:
    """The registry's dependencies, handed to each use case."""

    def __init__(  # noqa: PLR0913 - every dependency by name
        self,
        *,
        store: Store,
        clock: Clock,
        dice: Dice,
        cipher: Cipher,
        changes: ChangeLog,
        guard: AliasGuard,
        artifacts: Artifacts,
        routes: Routes,
        bus: Bus,
        account_concurrency: int,
        thermometer: Thermometer,
        objects: ObjectStore | None = None,
    ) -> None:
        """Nothing starts here."""
        self.store = store
        self.clock = clock
        self.dice = dice
        self.cipher = cipher
        self.changes = changes
        self.guard = guard
        self.artifacts = artifacts
        self.routes = routes
        self.bus = bus
        self.account_concurrency = account_concurrency
        self.thermometer = thermometer
        self.objects = objects
        self.links = CodeLinks(clock=clock, dice=dice)
        self._writes: set[asyncio.Task[Any]] = set()

    async def commit(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction; when it is durable, run its followers. A refusal inside changes nothing."""
        task = asyncio.get_running_loop().create_task(self._commit(work))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for the writes in hand."""
        await asyncio.gather(*self._writes, return_exceptions=True)

    def new_revision(self) -> str:
        """A RevisionId."""
        return new_uuid(self.dice)

    def record(
        self,
        transaction: Transaction,
        context: RequestContext,
        function: str,
        action: str,
        *,
        target_version: str | None = None,
        previous_version: str | None = None,
        alias: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Tell the timeline, on the same transaction, and everyone who listens, after it."""
        change = Change(
            scope=context.scope,
            component=f"lambda/{function}",
            action=action,
            at=self.clock.now(),
            by=context.principal.arn,
            target_version=target_version,
            previous_version=previous_version,
            alias=alias,
            detail=detail or {},
        )
        self.changes.record(transaction.connection, change)
        transaction.then(self.bus.publish, FunctionChanged(context.scope, function))

    def route(self, transaction: Transaction, version: FunctionVersion) -> None:
        """Send invokes to this version after the commit."""
        transaction.then(self.routes.put_version, opened(self.cipher, version))

    def changed(self, transaction: Transaction, scope: Scope, function: str) -> None:
        """Tell everyone who listens, after the commit, of something that is no step of the timeline."""
        transaction.then(self.bus.publish, FunctionChanged(scope, function))

    async def _commit(self, work: Callable[[Transaction], T]) -> T:
        def run(connection: Connection) -> tuple[T, Transaction]:
            transaction = Transaction(connection)
            return work(transaction), transaction

        result, transaction = await self.store.write(run)
        for follower in transaction.followers:
            try:
                follower()
            except Exception:
                log.exception("something that follows a commit failed; the commit itself stands")
        return result
