"""Builds one server out of its rooms, starts and stops them in order. Rule: every object is made here, once.

Two servers fit in one process: nothing here or below is module-level state.
"""

import asyncio
import contextlib
import logging
import os

from penstock import __version__
from penstock.app.adapters import HookRoad, MetricRates
from penstock.app.business_clock import HighWater, open_clock
from penstock.app.lock import DirectoryLock
from penstock.app.status import Status
from penstock.config import Config
from penstock.core.bus import Bus
from penstock.core.dice import SystemDice
from penstock.core.errors import StartupError
from penstock.core.serverfile import ServerFile, remove_server_file, write_server_file
from penstock.events.room import Events
from penstock.execution.room import Execution
from penstock.gateway.contract import Room
from penstock.gateway.models import Models
from penstock.gateway.pipeline import Gateway
from penstock.gateway.server import Server
from penstock.identity.room import Identity
from penstock.observe.alarms.room import Alarms
from penstock.observe.logs.room import Logs
from penstock.observe.metrics.room import Metrics
from penstock.registry.facts import FunctionChanged, FunctionDeleted
from penstock.registry.room import Registry
from penstock.release.markers.room import Markers
from penstock.release.room import Release
from penstock.store.database import SqliteStore
from penstock.store.migrate import migrate

log = logging.getLogger(__name__)
DRAIN_WITHIN_S = 20.0
UNSIGNED = frozenset({"/_penstock/health", "/_penstock/code"})
"""Health is for load balancers; a code address carries a signature of its own, as AWS's presigned one does."""


class App:
    """One server: `start`, `stop`, and nothing in between but the loops it started."""

    def __init__(self, config: Config):
        """Nothing is opened before `start`."""
        self.config = config
        self.endpoint = ""
        self._undo = contextlib.AsyncExitStack()

    async def start(self) -> str:
        """Open the data directory, start the rooms, listen; returns the endpoint. Raises `StartupError`."""
        try:
            return await self._start()
        except BaseException:
            await self._undo.aclose()
            raise

    async def stop(self) -> None:
        """Finish the requests in hand, stop the rooms from the top down, close the store. May be called twice."""
        await self._undo.aclose()

    async def _start(self) -> str:
        store = self._open()
        clock = open_clock(store, self.config.clock_speed)
        self._build(store, clock)
        high_water = HighWater(store, clock)
        high_water.start()
        self._undo.push_async_callback(high_water.stop)
        for room in self.rooms:
            self._undo.push_async_callback(room.stop)
            await room.start()
        self._undo.push_async_callback(self.execution.drain, DRAIN_WITHIN_S)
        self.endpoint = await self._listen()
        return self.endpoint

    def _open(self) -> SqliteStore:
        data = self.config.data
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.config.run.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StartupError(f"cannot use {data} as data directory: {error.strerror}. Choose another: --data") from error
        self._undo.callback(DirectoryLock(data).release)
        migrate(self.config.database)
        store = SqliteStore(self.config.database, durable=self.config.durable)
        self._undo.callback(store.close)
        return store

    def _build(self, store: SqliteStore, clock: object) -> None:
        raise NotImplementedError

    async def _listen(self) -> str:
        raise NotImplementedError
