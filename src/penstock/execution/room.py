"""The room: puts the parts together, starts and stops them, and answers what is running.

Rule: `invoke` is all that rooms above need; the rest is for app.py (start, stop, retire) and people (doctor, status).
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.dice import Dice
from penstock.execution.admission import Admission
from penstock.execution.allocator import Allocations, Allocator
from penstock.execution.dispatch import Dispatcher
from penstock.execution.flight import Flight
from penstock.execution.interpreters import SUPPORTED, Choice
from penstock.execution.launch import ForkLauncher
from penstock.execution.launchers import Launchers
from penstock.execution.measures import Measures
from penstock.execution.model import EnvironmentStatus, Invocation, Outcome, RoleCredentials, RuntimeRow
from penstock.execution.pool import Pool
from penstock.execution.probe import Machine, own
from penstock.execution.provision import CodeStore, Provision
from penstock.execution.sandbox.fence import Fence, Serve
from penstock.execution.sandbox.freezer import Freezer
from penstock.execution.sandbox.model import Demand, Isolation
from penstock.execution.served.entry import Family, OsOnly
from penstock.execution.served.launcher import ServedLauncher
from penstock.execution.served.nodes import Nodes
from penstock.execution.served.pythons import PythonLauncher, Pythons
from penstock.execution.states import State
from penstock.execution.warmup import Warmup
from penstock.execution.watch import Watch
from penstock.execution.zygote import Zygote, Zygotes
from penstock.gateway.contract import Operation, RawHandler
from penstock.observe.ports import LogSink, MetricSink
from penstock.registry.model import FunctionVersion, ProvisionedConfig, Warmth
from penstock.registry.routing import Routes

log = logging.getLogger(__name__)

DRAIN_S = 10.0
DEATH_S = 2.5


class Execution:
    """Runs versions. Implements `Executor`."""

    def __init__(  # noqa: PLR0913 - the composition of a room
        self,
        *,
        run: Path,
        clock: Clock,
        dice: Dice,
        code: CodeStore,
        credentials: RoleCredentials,
        metrics: MetricSink,
        logs: LogSink,
        endpoint: Callable[[], str],
        account_concurrency: int = 1000,
        idle_environment_s: float = 300.0,
        strict_runtimes: bool = False,
        path: str = os.defpath,
        isolation: str = Demand.AUTO,
        serve: Serve | None = None,
        declared: Allocations | None = None,
    ) -> None:
        """`run` may be deleted while the server is down; `path` is where interpreters are looked for.

        `isolation` is a `Demand`. `serve` lets the server answer on a further listening socket: functions that have
        a network of their own reach the endpoint through one.
        """
        self._run = run
        self._clock = clock
        nodes = Nodes(strict=strict_runtimes, path=path)
        self._fence = Fence(
            run=run, clock=clock, dice=dice, code=lambda: code.directory, endpoint=endpoint, demand=Demand(isolation),
            serve=serve, programs=nodes.prefixes,
        )  # fmt: skip
        self.admission = Admission(account_concurrency)
        self._pool = Pool[Flight]()
        self._machine = Machine(strict=strict_runtimes, path=path)
        self._zygotes, freezer = Zygotes(self._fence.library), Freezer(clock)
        provision = Provision(code=code, credentials=credentials, endpoint=endpoint, ground=lambda: self._fence.ground)
        self._families: dict[str, Family] = {"provided": OsOnly(), "nodejs": nodes}
        served = ServedLauncher(
            clock=clock, dice=dice, provision=provision, families={**self._families, "python": Pythons(self._machine)},
            zygotes=self._zygotes, keeper=own().path, freezer=freezer,
        )  # fmt: skip
        forked = ForkLauncher(
            clock=clock, provision=provision, interpreters=self._machine, zygotes=self._zygotes, freezer=freezer
        )
        python = PythonLauncher(forked=forked, served=served, provision=provision)
        self._launcher = launcher = Launchers({"python": python, **dict.fromkeys(self._families, served)})
        places = max(4, 2 * (os.cpu_count() or 1))
        warmup = Warmup(clock=clock, dice=dice, logs=logs, launcher=launcher, pool=self._pool, places=places)
        self._dispatcher = Dispatcher(
            clock=clock, admission=self.admission, measures=Measures(metrics), pool=self._pool, warmup=warmup
        )
        self._warming: set[asyncio.Task[None]] = set()
        declared = declared or Routes()
        self._watch = Watch(clock, self._pool, idle_environment_s, declared.serves)
        self._allocator = Allocator(
            clock=clock, declared=declared, pool=self._pool, warmup=warmup, admission=self.admission,
            offer=self._dispatcher.offer, is_open=lambda: bool(endpoint()), at_once=max(1, places // 2),
        )  # fmt: skip

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """None: Invoke belongs to events/, which chooses between now and later."""
        return {}

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Ready at once; zygotes and interpreters are looked for when first needed.

        Raises `StartupError` when full isolation is demanded and this machine does not give it.
        """
        self._zygotes.closure = await self._fence.start()
        self._watch.start()
        self._allocator.start()

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Let running invokes end for at most `drain_s`, then end every environment and zygote."""
        await self._allocator.stop()
        if not await self._dispatcher.drain(drain_s):
            log.warning("%d invokes did not end in %.0f s and are stopped", len(self._dispatcher.in_flight()), drain_s)
        await self._dispatcher.stop()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await self._watch.stop()
        self._pool.doom(lambda _: True)
        await self._empty(DEATH_S)
        await self._fence.stop()
        await self._zygotes.stop()
        await self._fence.sweep()
        await asyncio.gather(self._machine.stop(), *(family.stop() for family in self._families.values()))

    async def drain(self, timeout_s: float) -> bool:
        """Take no new invokes and wait for those under way; whether all ended in time."""
        return await self._dispatcher.drain(timeout_s)

    async def invoke(self, version: FunctionVersion, invocation: Invocation) -> Outcome:
        """See `Executor`."""
        return await self._dispatcher.invoke(version, invocation)

    async def prepare(self, runtime: str) -> None:
        """Start the runtime's zygote ahead of the first invoke; failures wait for that invoke to be told."""
        try:
            path = (await self._machine.choose(runtime)).interpreter.path if runtime in SUPPORTED else own().path
            self._fence.ground.ready(await self._zygotes.get(path))
        except (LookupError, RuntimeError) as error:
            log.info("no zygote for %s yet: %s", runtime, error)

    def warm(self, runtime: str) -> None:
        """`prepare` in the background, for listeners that cannot wait."""
        if runtime.startswith(self._launcher.prefixes):
            task = asyncio.get_running_loop().create_task(self.prepare(runtime), name=f"warm {runtime}")
            self._warming.add(task)
            task.add_done_callback(self._warming.discard)

    async def check_runtime(self, runtime: str) -> None:
        """Return when this server can run `runtime`; raises `LaunchError` that says why not."""
        await self._launcher.words(runtime)

    def warmth(self, config: ProvisionedConfig) -> Warmth:
        """What stands ready of a provisioned concurrency. Implements `registry.ports.Thermometer`."""
        return self._allocator.warmth(config)

    def set_reserved(self, scope: Scope, name: str, reserved: int | None) -> None:
        """Tell a function's reserved concurrency as soon as it is set, so that others lose their share at once."""
        self.admission.set_reserved(scope, name, reserved)

    def retire(self, scope: Scope, name: str, version: str | None = None, keep_revision: str | None = None) -> int:
        """End the environments of a function (or of one version, unless of this revision); how many.

        Busy ones end after their invoke. For a bus listener: a version was replaced, or a function deleted.
        """
        return self._pool.doom(
            lambda one: (
                one.version.name == name
                and one.version.scope == scope
                and version in (None, one.version.version)
                and one.version.revision_id != keep_revision
            )
        )

    async def doctor(self) -> list[RuntimeRow]:
        """For each runtime what runs it here, or why nothing does."""
        unloadable = {zygote.interpreter: zygote.unloadable for zygote in self._zygotes.running()}
        rows = []
        for runtime, found in (await self._machine.choices()).items():
            if isinstance(found, Choice):
                path = found.interpreter.path
                trouble = unloadable.get(path)
                words = f"{found.words}; cannot load {trouble}" if trouble else found.words
                rows.append(RuntimeRow(runtime, path, words, exact=found.exact))
            else:
                rows.append(RuntimeRow(runtime, None, str(found), exact=False))
        return rows + [row for family in self._families.values() for row in await family.rows()]

    @property
    def isolation(self) -> Isolation:
        """How environments are kept apart; known once the room has started."""
        return self._fence.isolation

    def zygotes(self) -> list[Zygote]:
        """The warm processes, stated apart from environments."""
        return self._zygotes.running()

    def status(self) -> list[EnvironmentStatus]:
        """Every environment, by function, version and age."""
        now = self._clock.monotonic()
        rows = [
            EnvironmentStatus(
                scope=one.version.scope,
                function=one.version.name,
                version=one.version.version,
                state=str(one.state),
                pid=one.pid,
                age_s=now - one.created_at,
                idle_s=now - one.idle_since if one.state is State.IDLE else 0.0,
                invokes=one.invokes,
                init_ms=one.init_ms,
                memory_mb=one.memory_kb()[0] // 1024,
                log_stream=one.journal.stream,
                substitute=one.substitute,
            )
            for one in self._pool.all()
        ]
        return sorted(rows, key=lambda row: (row.function, row.version, -row.age_s))

    async def _empty(self, within_s: float) -> None:
        """Wait until every environment is dead and its files are given up."""
        end = self._clock.monotonic() + within_s
        while any(self._pool.all()) and self._clock.monotonic() < end:
            await self._clock.pause(0.005)
