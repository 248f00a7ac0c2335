"""Builds one server out of its rooms, starts and stops them in order. Rule: every object is made here, once.

Two servers fit in one process: nothing here or below is module-level state.
"""

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Mapping

from penstock import __version__
from penstock.app.adapters import FunctionFollower, Warm
from penstock.app.business_clock import HighWater, open_clock
from penstock.app.hooks import HookRoad
from penstock.app.lock import DirectoryLock
from penstock.app.overview import Overview
from penstock.app.status import Status
from penstock.config import Config
from penstock.core.bus import Bus
from penstock.core.clock import SystemClock
from penstock.core.dice import SystemDice
from penstock.core.errors import StartupError, StoreUnavailableError
from penstock.core.serverfile import ServerFile, remove_server_file, write_server_file
from penstock.events.room import Events
from penstock.execution.room import Execution
from penstock.execution.sandbox.model import Isolation
from penstock.gateway.contract import Room
from penstock.gateway.models import Models
from penstock.gateway.pipeline import Gateway
from penstock.gateway.server import Server
from penstock.identity.room import Identity
from penstock.observe.alarms.model import AlarmStateChanged
from penstock.observe.alarms.room import Alarms
from penstock.observe.alarms.states import read_states
from penstock.observe.logs.room import Logs
from penstock.observe.metrics.room import Metrics
from penstock.registry.room import Registry
from penstock.release.markers.recorder import Markers, OpenGuard
from penstock.release.rates import MeasuredRates
from penstock.release.room import Release
from penstock.store.database import SqliteStore
from penstock.store.migrate import migrate

log = logging.getLogger(__name__)
DRAIN_WITHIN_S = 20.0
UNSIGNED = frozenset({"/_penstock", "/_penstock/health", "/_penstock/code"})
"""The first names the pages there are; health is for load balancers; a code address carries a signature of its own."""


class App:
    """One server: `start`, `stop`, and in between the loops of its rooms."""

    def __init__(self, config: Config):
        """Nothing is opened before `start`."""
        self.config = config
        self.endpoint = ""
        self._undo = contextlib.AsyncExitStack()

    async def start(self) -> str:
        """Open the data directory, start the rooms, listen; returns the endpoint. Raises `StartupError`."""
        try:
            store = self._open()
            clock = open_clock(store, self.config.clock_speed)
            rooms, workers = self._build(store, clock)
            await self._start_rooms(rooms, workers, store, clock)
            await self._listen(clock)
            # What runs functions of its own accord starts last and stops first: functions call this server, so an
            # event or a hook that is at work while nobody listens would fail for no fault of its own.
            for worker in workers:
                self._undo.push_async_callback(worker.stop)
                await worker.start()
        except BaseException:
            await self.stop()
            raise
        return self.endpoint

    def served(self) -> Mapping[str, frozenset[str]]:
        """What a started server answers: operations by botocore's service name."""
        return self._gateway.served()

    async def stop(self) -> None:
        """Finish the requests in hand, stop the rooms from the top down, close the store. May be called twice."""
        try:
            await self._undo.aclose()
        except StoreUnavailableError as refused:  # everything else has stopped all the same
            log.error("what was measured last is lost: %s", refused)  # noqa: TRY400 - the words say it all

    @property
    def isolation(self) -> Isolation:
        """How functions are kept apart; known once started."""
        return self._execution.isolation

    async def _serve(self, listening: socket.socket) -> Callable[[], None]:
        """Answer on the endpoint of an environment that has a network of its own."""
        return await self._server.listen_on(listening)

    def _open(self) -> SqliteStore:
        data = self.config.data
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.config.run.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StartupError(
                f"cannot use {data} as data directory: {error.strerror}. Name another: --data"
            ) from error
        self._undo.callback(DirectoryLock(data).release)
        migrate(self.config.database)
        store = SqliteStore(self.config.database, durable=self.config.durable)
        self._undo.callback(store.close)
        return store

    def _build(self, store: SqliteStore, clock: SystemClock) -> tuple[list[Room], list[Room]]:
        """Make every object; the rooms in the order in which they start, and those that start once we listen."""
        config, dice, bus = self.config, SystemDice(), Bus()
        identity = Identity(data=config.data, account=config.account, clock=clock, dice=dice)
        metrics = Metrics(store=store, clock=clock)
        alarms = Alarms(store=store, clock=clock, bus=bus, fetch=metrics.periods)
        logs = Logs(store=store, clock=clock, metrics=metrics)
        markers = Markers(clock=clock, dice=dice)
        warm = Warm(lambda: execution)
        registry = Registry(
            store=store,
            clock=clock,
            dice=dice,
            cipher=identity.cipher,
            changes=markers,
            guard=OpenGuard(),
            data=config.data,
            account_concurrency=config.account_concurrency,
            bus=bus,
            thermometer=warm,
        )
        execution = Execution(
            run=config.run,
            clock=clock,
            dice=dice,
            code=registry.artifacts,
            credentials=identity.sessions,
            metrics=metrics,
            logs=logs.sink,
            endpoint=lambda: self.endpoint,
            account_concurrency=config.account_concurrency,
            idle_environment_s=config.idle_environment_s,
            strict_runtimes=config.strict_runtimes,
            path=config.interpreters_path,
            isolation=config.isolation,
            serve=self._serve,
            declared=registry.routing,
        )
        self._execution = execution
        events = Events(
            store=store,
            clock=clock,
            dice=dice,
            bus=bus,
            routes=registry.routing,
            executor=execution,
            metrics=metrics,
        )
        release = Release(
            store=store,
            clock=clock,
            dice=dice,
            markers=markers,
            routing=registry.routing,
            hooks=HookRoad(events.invoker, clock),
            alarms=read_states,
            rates=MeasuredRates(metrics, clock),
            bus=bus,
        )
        bus.subscribe(AlarmStateChanged, release.wake)
        status = Status(
            config=config,
            clock=clock,
            started_at=clock.monotonic(),
            endpoint=lambda: self.endpoint,
            isolation=lambda: execution.isolation.level,
        )
        self._gateway = Gateway(
            models=Models(),
            authenticator=identity.authenticator,
            authorizer=identity.authorizer,
            clock=clock,
            dice=dice,
            account=config.account,
            region=config.region,
            max_body_bytes=config.max_body_bytes,
        )
        rooms: list[Room] = [
            identity,
            metrics,
            alarms,
            logs,
            registry,
            execution,
            FunctionFollower(bus, registry, execution),
            Overview(config=config, store=store, execution=execution),
            status,
        ]
        return rooms, [events, release]

    async def _start_rooms(
        self, rooms: list[Room], workers: list[Room], store: SqliteStore, clock: SystemClock
    ) -> None:
        high_water = HighWater(store, clock)
        high_water.start()
        self._undo.push_async_callback(high_water.stop)
        for room in (*rooms, *workers):
            for service, operations in room.operations().items():
                self._gateway.mount(service, operations)
            for prefix, handler in room.routes().items():
                self._gateway.route(prefix, handler, signed=prefix not in UNSIGNED)
        for room in rooms:
            self._undo.push_async_callback(room.stop)
            await room.start()

    async def _listen(self, clock: SystemClock) -> None:
        config = self.config
        server = Server(
            handler=self._gateway,
            clock=clock,
            host=config.host,
            port=config.port,
            max_body_bytes=config.max_body_bytes,
            access_log=config.access_log,
        )
        port = await server.start()
        self._server = server
        self._undo.push_async_callback(server.stop)
        self._undo.push_async_callback(server.drain, DRAIN_WITHIN_S)
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
        self.endpoint = f"http://{host}:{port}"
        self._undo.callback(remove_server_file, config.data)
        write_server_file(
            config.data,
            ServerFile(os.getpid(), self.endpoint, config.region, config.account, config.clock_speed, __version__),
        )
