"""A small world around the tick: the real store and registry tables, hooks and alarms that a test plays.

`Crash` stands for `kill -9`: it is raised at the n-th dangerous point and the rig is thrown away; a new rig over the
same store is the restarted server.
"""

import asyncio
import json
from dataclasses import dataclass, field

from penstock.core.bus import Bus
from penstock.core.clock import MockClock
from penstock.core.dice import SeededDice
from penstock.core.errors import ApiError
from penstock.registry.model import Alias, Function
from penstock.registry.records import read_alias, write_alias, write_function, write_version
from penstock.release.commits import Commits
from penstock.release.hooks import HookRunner
from penstock.release.markers.model import MarkerStatus
from penstock.release.markers.recorder import Markers
from penstock.release.markers.records import read_timeline
from penstock.release.model import Creator, DeploymentStatus
from penstock.release.ports import HookInvocation, HookResult
from penstock.release.records import insert_deployment, read_deployment, read_deployments
from penstock.release.report import report
from penstock.release.routes import expected_route, is_route
from penstock.release.tick import Tick
from release.samples import SCOPE, version


class Crash(BaseException):
    """The process is gone. Not an Exception: nothing in the server may catch it."""


class _UndoneError(Exception):
    pass


@dataclass
class Points:
    """Counts the dangerous points and crashes at one of them."""

    crash_at: int | None = None
    passed: int = 0
    names: list[str] = field(default_factory=list)

    def reach(self, name: str) -> None:
        self.passed += 1
        self.names.append(name)
        if self.passed == self.crash_at:
            raise Crash(name)


class WatchedStore:
    """The real store, with a dangerous point before and after every commit and an audit after each."""

    def __init__(self, store, points: Points):
        self.store = store
        self.points = points
        self.committed = 0

    async def read(self, work):
        return self.store.read_now(work)

    async def write(self, work):
        def last_moment(connection):
            result = work(connection)
            try:
                self.points.reach("before commit")
            except Crash as crash:
                raise _UndoneError from crash  # an ordinary error for the store's writer: it undoes the work
            return result

        try:
            result = self.store.write_now(last_moment)
        except _UndoneError as undone:
            raise Crash("before commit") from undone
        finally:
            self.store.read_now(audit)
        self.committed += 1
        self.points.reach("after commit")
        return result


def audit(connection) -> None:
    """At every instant a reader can see: alias, deployment and marker tell one story."""
    markers = {marker.deployment_id: marker for marker in read_timeline(connection, SCOPE, since=0.0, limit=1000)}
    for _, deployment_id in read_deployments(connection, SCOPE):
        deployment = read_deployment(connection, SCOPE, deployment_id)
        marker = markers[deployment_id]
        assert marker.status.is_open == deployment.is_active, deployment_id
        assert [at for at, _ in marker.shifts] == [shift.at for shift in deployment.shifts]
        if marker.shifts:
            share = marker.shifts[-1][1].get(deployment.target.version, 0.0)
            assert share == deployment.percent
        if deployment.status is DeploymentStatus.SUCCEEDED:
            assert (marker.status, deployment.percent) == (MarkerStatus.SUCCESS, 100.0)


def alias_agrees(connection, deployment_id: str) -> bool:
    deployment = read_deployment(connection, SCOPE, deployment_id)
    alias = read_alias(connection, SCOPE, deployment.target.function, deployment.target.alias)
    return is_route(alias, expected_route(deployment))


@dataclass
class Routing:
    """The routing table; crashing in it stands for a crash between commit and memory."""

    points: Points
    moved: list[Alias] = field(default_factory=list)

    def put_alias(self, alias: Alias) -> None:
        self.points.reach("before routing")
        self.moved.append(alias)


class Hooks:
    """Hook functions that a test plays: what each answers, and what it reports before it returns."""

    def __init__(self, store, points: Points, answers: dict[str, tuple[str | None, HookInvocation]]):
        self.store = store
        self.points = points
        self.answers = answers
        self.invoked: list[tuple[str, str]] = []

    async def invoke_hook(self, scope, function_ref, payload, request_id):
        event = json.loads(payload)
        self.invoked.append((function_ref, event["LifecycleEventHookExecutionId"]))
        self.points.reach("hook begins")
        await asyncio.sleep(0)
        says, answer = self.answers.get(function_ref, (None, HookInvocation(HookResult.NOT_FOUND)))
        if says is not None:
            await self._report(scope, event["DeploymentId"], event["LifecycleEventHookExecutionId"], says)
        self.points.reach("hook ends")
        return answer

    async def _report(self, scope, deployment_id: str, execution_id: str, says: str) -> None:
        try:
            await self.store.write(lambda c: report(c, scope, deployment_id, execution_id, says))
        except ApiError as refusal:  # a second invoke after a crash may report again
            if refusal.code != "LifecycleEventAlreadyCompletedException":
                raise


OK = HookInvocation(HookResult.OK)


class Rig:
    """One server over a store."""

    def __init__(self, store, clock: MockClock, *, crash_at: int | None = None, answers=None, seed: int = 1):
        self.points = Points(crash_at)
        self.inner = store
        self.store = WatchedStore(store, self.points)
        self.clock = clock
        self.bus = Bus()
        self.dice = SeededDice(seed)
        self.markers = Markers(clock=clock, dice=self.dice)
        self.alarms: dict[str, str | None] = {}
        self.routing = Routing(self.points)
        self.invoker = Hooks(self.store, self.points, answers or {})
        self.hooks = HookRunner(
            store=self.store, clock=clock, dice=self.dice, invoker=self.invoker, finished=lambda: None
        )
        self.tick = Tick(
            store=self.store,
            commits=Commits(self.store),
            clock=clock,
            markers=self.markers,
            alarms=lambda _connection, _scope, names: {name: self.alarms.get(name) for name in names},
            routing=self.routing,
            hooks=self.hooks,
            bus=self.bus,
        )

    def found(self, *versions: str, at: str = "1") -> None:
        """A function with published versions and an alias."""

        def write(connection):
            write_function(connection, Function(SCOPE, "orders", 0.0))
            for number in versions:
                write_version(connection, version(number))
            write_alias(connection, Alias(SCOPE, "orders", "live", at, "a0"))

        self.inner.write_now(write)

    def deploy(self, deployment):
        def write(connection):
            insert_deployment(connection, deployment)
            self.markers.open(connection, deployment)

        self.inner.write_now(write)
        return deployment.id

    async def turn(self) -> None:
        """One tick, then whatever the hooks do until they rest. Raises `Crash` from wherever it happened."""
        await self.tick.run()
        for task in list(self.hooks._running.values()):
            await task
        await self.tick.run()

    async def abandon(self) -> None:
        """What is left of a killed server does nothing more."""
        for task in list(self.hooks._running.values()):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def deployment(self, deployment_id: str):
        return self.inner.read_now(lambda c: read_deployment(c, SCOPE, deployment_id))

    def rollback_of(self, deployment_id: str):
        found = self.inner.read_now(lambda c: [read_deployment(c, SCOPE, one) for _, one in read_deployments(c, SCOPE)])
        return [
            one
            for one in found
            if one.creator is Creator.ROLLBACK and (one.rollback_info.triggering_deployment_id == deployment_id)
        ]

    def alias(self) -> Alias | None:
        return self.inner.read_now(lambda c: read_alias(c, SCOPE, "orders", "live"))

    def timeline(self):
        return self.inner.read_now(lambda c: read_timeline(c, SCOPE, since=0.0))
