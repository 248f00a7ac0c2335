"""The deployment tick: read the world once, decide, write it as one truth, and only then act on the outside.

Rule: thin. What happens is in `decide.py`, how it is written in `commit.py`. A tick that dies at any point is simply
done again by the next server: the store says where it was.
"""

import logging
from dataclasses import dataclass

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.errors import StoreUnavailableError
from penstock.registry.aliases import AliasMovedError, read_alias, read_version
from penstock.release.commit import Committed, commit
from penstock.release.commits import Commits
from penstock.release.decide import Observation, decide
from penstock.release.hooks import HookRunner
from penstock.release.markers.recorder import Markers
from penstock.release.model import Deployment, DeploymentStatus
from penstock.release.ports import AlarmStates, AliasTable
from penstock.release.records import StaleDeploymentError, read_active_ids, read_deployment
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)
ATTEMPTS = 50
"""More steps than a deployment can take at one instant, lost races included; the next tick goes on after that."""


@dataclass(frozen=True, slots=True)
class DeploymentChanged:
    """A fact on the bus, after the commit."""

    scope: Scope
    deployment_id: str
    status: DeploymentStatus
    reason: str


class Tick:
    """Moves deployments forward. All its state is in the store."""

    def __init__(
        self,
        *,
        store: Store,
        commits: Commits,
        clock: Clock,
        markers: Markers,
        alarms: AlarmStates,
        routing: AliasTable,
        hooks: HookRunner,
        bus: Bus,
    ) -> None:
        """See the module."""
        self._store = store
        self._commits = commits
        self._clock = clock
        self._markers = markers
        self._alarms = alarms
        self._routing = routing
        self._hooks = hooks
        self._bus = bus

    async def run(self) -> None:
        """One look at every active deployment; trouble with one harms no other."""
        for scope, deployment_id in await self._store.read(read_active_ids):
            try:
                await self.advance(scope, deployment_id)
            except StoreUnavailableError:
                raise
            except Exception:
                log.exception("deployment %s: this tick failed, the next one tries again", deployment_id)

    async def advance(self, scope: Scope, deployment_id: str) -> Deployment | None:
        """Take every step that is due now; gives the deployment as it then is."""
        deployment = None
        for _ in range(ATTEMPTS):
            deployment, seen = await self._store.read(lambda c: self._observe(c, scope, deployment_id))
            if deployment is None or not deployment.is_active:
                break
            if not await self._step(deployment, seen):
                break
        return deployment

    async def _step(self, deployment: Deployment, seen: Observation) -> bool:
        """Decide once and carry it out; whether there may be more to do right now."""
        now = self._clock.now()
        decision = decide(deployment, seen, now)
        if decision.changes(deployment):
            try:
                await self._commits.run(
                    lambda c: commit(c, decision, seen.alias, self._markers, now),
                    lambda done: self._after_commit(done, decision.reason),
                )
            except (StaleDeploymentError, AliasMovedError) as race:
                log.info("deployment %s: %s; deciding again", deployment.id, race)
                return True
        for effect in decision.effects:
            self._hooks.start(deployment.scope, effect)
        return decision.changes(deployment)

    def _after_commit(self, done: Committed, reason: str) -> None:
        if done.alias is not None:
            self._routing.put_alias(done.alias)
        log.info("deployment %s is %s: %s", done.deployment.id, done.deployment.status, reason)
        for changed in (done.deployment, done.rollback):
            if changed is not None:
                self._bus.publish(DeploymentChanged(changed.scope, changed.id, changed.status, reason))

    def _observe(
        self, connection: Connection, scope: Scope, deployment_id: str
    ) -> tuple[Deployment | None, Observation]:
        deployment = read_deployment(connection, scope, deployment_id)
        if deployment is None:
            return None, Observation(None, None, None)
        target = deployment.target
        alias = read_alias(connection, scope, target.function, target.alias)
        current = read_version(connection, scope, target.function, target.current) if target.current else None
        watched = deployment.alarms.watched
        return deployment, Observation(
            alias=alias,
            target=read_version(connection, scope, target.function, target.version),
            current=current,
            alarms=self._alarms(connection, scope, watched) if watched else {},
        )
