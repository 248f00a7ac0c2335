"""Builds one server out of its rooms, starts and stops them in order. Rule: every object is made here, once.

Two servers fit in one process: nothing here or below is module-level state.
"""

import contextlib
import logging
from collections.abc import Sequence

from penstock import __version__
from penstock.app.adapters import AlarmStates, HookRoad, MetricRates
from penstock.app.business_clock import HighWater, open_clock
from penstock.app.lock import DirectoryLock
from penstock.app.status import Status
from penstock.config import Config
from penstock.core.bus import Bus
from penstock.core.dice import SystemDice
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
from penstock.registry.room import Registry
from penstock.release.markers import Markers
from penstock.release.room import Release
from penstock.store.database import SqliteStore
from penstock.store.migrate import migrate

log = logging.getLogger(__name__)
DRAIN_WITHIN_S = 20.0
