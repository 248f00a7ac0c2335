"""The reconcile loop with a mock clock and a launcher that makes nothing: what stands ready, what waits, what goes."""

import asyncio
from dataclasses import replace

import pytest

from penstock.core.clock import MockClock
from penstock.core.context import Scope
from penstock.core.dice import SeededDice
from penstock.execution import allocator
from penstock.execution.admission import Admission
from penstock.execution.allocator import Allocator
from penstock.execution.environment import End, EndKind, LaunchError
from penstock.execution.pool import Pool
from penstock.execution.states import State
from penstock.execution.warmup import Warmup
from penstock.execution.watch import LEFT_IDLE_S, Watch
from penstock.registry.model import Alias, Function, FunctionVersion, ProvisionedConfig
from penstock.registry.model import State as VersionState
from penstock.registry.routing import Routes

SCOPE = Scope("1" * 12, "eu-west-1")


class Nothing:
    """A log sink."""

    def append(self, scope, group, stream, lines) -> None:
        """Forgotten."""


class FakeEnvironment:
    """An environment without a process."""

    substitute = False

    def __init__(self, version, journal, clock, gone, end):
        self.version, self.journal, self.clock, self.gone, self.end = version, journal, clock, gone, end
        self.created_at = self.idle_since = clock.monotonic()
        self.invokes, self.init_ms, self.doomed, self.pid = 0, 1.0, False, None
        self.state = State.INITIALISING

    async def initialise(self, limit_s):
        self.limit_s = limit_s
        self.state = State.IDLE if self.end.kind is EndKind.READY else State.STOPPING
        return self.end

    def memory_kb(self):
        return 0, 0

    def stop(self):
        self.state = State.DEAD
        self.gone(self)

    def drain(self):
        """Nothing is written."""


class FakeLauncher:
    """Makes them; `end` and `error` say how the next ones go."""

    def __init__(self, clock):
        self.clock, self.made, self.end, self.error = clock, [], End(EndKind.READY), None

    async def launch(self, version, journal, gone):
        if self.error:
            raise self.error
        self.made.append(FakeEnvironment(version, journal, self.clock, gone, self.end))
        return self.made[-1]

    async def words(self, runtime):
        return runtime


class World:
    """Versions 1 to 3 behind `live`, which is at 1 and has provisioned concurrency."""

    def __init__(self, count):
        self.clock = MockClock()
        self.launcher = FakeLauncher(self.clock)
        self.pool, self.admission, self.routes = Pool(), Admission(1000), Routes()
        self.open = True
        self.offered = []
        warmup = Warmup(
            clock=self.clock, dice=SeededDice(1), logs=Nothing(), launcher=self.launcher, pool=self.pool, places=8
        )
        self.allocator = Allocator(
            clock=self.clock, declared=self.routes, pool=self.pool, warmup=warmup, admission=self.admission,
            offer=self.offer, is_open=lambda: self.open, at_once=4,
        )  # fmt: skip
        self.watch = Watch(self.clock, self.pool, 300.0, self.routes.serves)
        versions = [
            FunctionVersion(SCOPE, "orders", number, "python3.12", "a.b", "role", "sha", 1, f"r{number}", 0.0)
            for number in ("$LATEST", "1", "2", "3")
        ]
        self.config = ProvisionedConfig(SCOPE, "orders", "live", count, self.clock.now())
        self.routes.load([Function(SCOPE, "orders", 0.0)], versions, [self.alias("1")], [self.config])

    def offer(self, environment):
        self.offered.append(environment)
        assert self.pool.give_back(environment) is None

    def alias(self, version, weights=None):
        return Alias(
            SCOPE, "orders", "live", version, f"rev{self.clock.now()}{version}{weights}", weights=weights or {}
        )

    async def steps(self, count=12):
        for _ in range(count):
            await self.allocator.step()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def ready(self):
        found = {}
        for one in self.pool.all_provisioned():
            found[one.version.version] = found.get(one.version.version, 0) + 1
        return found

    def routed(self):
        route = self.routes.resolve(SCOPE, "orders", "live")
        return route.primary.version, route.additional.version if route.additional else None

    def shown(self):
        warmth = self.allocator.warmth(self.config)
        return warmth.available, warmth.failure


@pytest.fixture
def world():
    def run(scenario, count=10):
        async def whole():
            made = World(count)
            await scenario(made)
            await made.allocator.stop()

        asyncio.run(whole())

    return run


def test_as_many_as_asked_for_are_made_a_few_at_a_time(world) -> None:
    async def scenario(w):
        await w.allocator.step()
        assert w.shown() == (0, None)
        await asyncio.sleep(0)
        assert len(w.launcher.made) == 4
        await w.steps()
        assert (w.ready(), w.shown()) == ({"1": 10}, (10, None))
        assert len(w.offered) == 10
        first = w.launcher.made[0]
        assert (first.journal.initialization, first.limit_s) == ("provisioned-concurrency", 130.0)
        assert w.admission.unreserved_limit(SCOPE) == 990
        await w.steps()
        assert len(w.launcher.made) == 10

    world(scenario)


def test_nothing_is_made_before_the_server_listens_or_the_version_is_active(world) -> None:
    async def scenario(w):
        w.open = False
        await w.steps()
        assert w.launcher.made == []
        w.open = True
        version = w.routes.resolve(SCOPE, "orders", "1").primary
        w.routes.put_version(replace(version, state=VersionState.PENDING))
        await w.steps()
        assert w.launcher.made == []
        w.routes.put_version(version)
        await w.steps()
        assert w.ready() == {"1": 10}

    world(scenario)


def test_what_dies_is_made_anew(world) -> None:
    async def scenario(w):
        await w.steps()
        w.clock.move(60)
        w.launcher.made[3].stop()
        assert w.shown() == (9, None)
        await w.steps()
        assert w.ready() == {"1": 10}

    world(scenario)


def test_what_dies_at_once_is_not_made_anew_without_end(world) -> None:
    async def scenario(w):
        await w.steps()
        w.launcher.made[0].stop()
        await w.steps()
        assert len(w.launcher.made) == 1
        assert "right after its init" in w.shown()[1]
        w.clock.move(6)
        await w.steps()
        assert w.shown() == (1, None)

    world(scenario, count=1)


@pytest.mark.parametrize(
    ("end", "error", "reason"),
    [
        (
            End(EndKind.ERROR, b'{"errorMessage": "no module x"}', "Runtime.ImportModuleError"), None,
            "FUNCTION_ERROR_INIT_FAILURE: Runtime.ImportModuleError: no module x",
        ),
        (
            End(EndKind.EXITED, reason="exit status 1"), None,
            "FUNCTION_ERROR_INIT_FAILURE: Runtime.ExitError: exit status 1",
        ),
        (End(EndKind.READY), LaunchError("InvalidRuntimeException", "no such"), "InvalidRuntimeException: no such"),
    ],
)  # fmt: skip
def test_a_failure_is_told_and_tried_again_later_one_at_a_time(world, end, error, reason) -> None:
    async def scenario(w):
        w.launcher.end, w.launcher.error = end, error
        await w.steps()
        assert w.shown() == (0, reason)
        tries = len(w.launcher.made)
        await w.steps()
        assert len(w.launcher.made) == tries
        w.launcher.end, w.launcher.error = End(EndKind.READY), None
        w.clock.move(60 * 10)
        await w.allocator.step()
        await asyncio.sleep(0)
        assert len(w.launcher.made) == tries + 1
        await w.steps()
        assert w.shown() == (10, None)

    world(scenario)


def test_asking_again_tries_at_once(world) -> None:
    async def scenario(w):
        w.launcher.error = LaunchError("ServiceException", "no")
        await w.steps()
        w.launcher.error = None
        w.clock.move(0.5)
        w.config = replace(w.config, requested=3, modified_at=w.clock.now())
        w.routes.put_provisioned(w.config)
        assert w.shown() == (0, None)
        await w.steps()
        assert w.shown() == (3, None)

    world(scenario)


def test_a_shift_warms_the_new_version_before_its_traffic(world) -> None:
    async def scenario(w):
        await w.steps()
        w.routes.put_alias(w.alias("1", {"2": 0.3}))
        assert w.routed() == ("1", None)
        await w.allocator.step()
        assert w.routed() == ("1", None)
        await w.steps()
        assert (w.routed(), w.ready()) == (("1", "2"), {"1": 7, "2": 3})
        w.routes.put_alias(w.alias("2"))
        assert w.routed() == ("2", None)
        await w.steps()
        assert w.ready() == {"2": 10}
        w.routes.put_alias(w.alias("1"))
        assert w.routed() == ("1", None)

    world(scenario)


def test_a_new_version_that_cannot_start_does_not_hide_behind_the_old_one(world) -> None:
    async def scenario(w):
        await w.steps()
        w.launcher.end = End(EndKind.EXITED, reason="exit status 1")
        w.routes.put_alias(w.alias("2"))
        await w.steps()
        assert w.routed() == ("2", None)
        assert w.ready() == {"1": 10}, "the old version stays warm for the rollback"
        assert w.shown()[1].startswith("FUNCTION_ERROR_INIT_FAILURE")

    world(scenario)


def test_nobody_waits_for_ever(world) -> None:
    async def scenario(w):
        w.open = False
        w.routes.put_alias(w.alias("2"))
        await w.steps(1)
        assert w.routed() == ("1", None)
        w.clock.move(allocator.HOLD_S + 1)
        await w.steps(1)
        assert w.routed() == ("2", None)

    world(scenario)


def test_what_is_no_longer_asked_for_becomes_ordinary_and_is_reaped(world) -> None:
    async def scenario(w):
        await w.steps()
        w.routes.put_provisioned(replace(w.config, requested=4))
        await w.steps(1)
        assert w.ready() == {"1": 4}
        w.clock.move(299)
        w.watch.look()
        assert len(list(w.pool.all())) == 10
        w.clock.move(2)
        w.watch.look()
        assert len(list(w.pool.all())) == 4
        w.routes.drop_provisioned(SCOPE, "orders", "live")
        await w.steps(1)
        assert w.admission.unreserved_limit(SCOPE) == 1000
        w.watch.look()
        assert list(w.pool.all()) == []

    world(scenario)


def test_a_version_that_lost_its_traffic_is_reaped_sooner(world) -> None:
    async def scenario(w):
        await w.steps()
        w.routes.put_alias(w.alias("2"))
        await w.steps()
        assert w.ready() == {"2": 10}
        w.clock.move(LEFT_IDLE_S - 1)
        w.watch.look()
        assert len(list(w.pool.all())) == 20
        w.clock.move(2)
        w.watch.look()
        assert {one.version.version for one in w.pool.all()} == {"2"}

    world(scenario)


def test_old_ones_are_replaced_one_by_one_before_their_keys_expire(world) -> None:
    async def scenario(w):
        await w.steps()
        w.clock.move(allocator.RENEW_AFTER_S + 1)
        for _ in range(12):
            before = len(w.pool.provisioned(w.launcher.made[0].version.code_id))
            await w.steps(1)
            assert before >= 9
        assert w.ready() == {"1": 10}
        assert len(w.launcher.made) == 20

    world(scenario)
