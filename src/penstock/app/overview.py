"""Status and doctor: what the server holds, what is going on, and what is not as it should be.

Rule: one snapshot of the store and what lives in memory; it measures nothing and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from penstock.app.web import json_response
from penstock.config import Config
from penstock.core.context import RequestContext, Scope
from penstock.execution.model import RuntimeRow
from penstock.execution.room import Execution
from penstock.execution.sandbox.model import Isolation, Level
from penstock.gateway.contract import HttpRequest, HttpResponse, Operation, RawHandler
from penstock.observe.alarms.model import Alarm, AlarmState
from penstock.observe.alarms.records import read_alarms
from penstock.registry.model import LATEST, Alias
from penstock.registry.records import read_aliases, read_functions, read_version
from penstock.release.model import Deployment
from penstock.release.records import read_active_ids, read_deployment
from penstock.store.database import Connection, Store

Page = dict[str, Any]
LARGE_LOG_BYTES = 256 * 1024**2
"""A write-ahead log of this size means that a reader has been keeping it from being folded into the database."""


class Overview:
    """A `gateway.contract.Room` of two signed pages."""

    def __init__(self, *, config: Config, store: Store, execution: Execution):
        """See the module."""
        self._config = config
        self._store = store
        self._execution = execution

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """None: AWS has no such pages."""
        return {}

    def routes(self) -> Mapping[str, RawHandler]:
        """The pages."""
        return {"/_penstock/status": self._status, "/_penstock/doctor": self._doctor}

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def _status(self, context: RequestContext, _request: HttpRequest) -> HttpResponse:
        page = await self._store.read(lambda connection: read_status(connection, context.scope))
        rows = [asdict(row) for row in self._execution.status() if row.scope == context.scope]
        environments = [{name: value for name, value in row.items() if name != "scope"} for row in rows]
        return json_response({**page, "environments": environments})

    async def _doctor(self, _context: RequestContext, _request: HttpRequest) -> HttpResponse:
        runtimes = [runtime_row(row) for row in await self._execution.doctor()]
        isolation = isolation_row(self._execution.isolation, self._config.isolation)
        return json_response([self._database(), self._clock(), isolation, *runtimes])

    def _database(self) -> Page:
        path = self._config.database
        log = path.with_name(f"{path.name}-wal")
        size, log_size = path.stat().st_size, log.stat().st_size if log.exists() else 0
        detail = f"{size / 1024**2:.1f} MB and {log_size / 1024**2:.1f} MB of write-ahead log"
        if log_size > LARGE_LOG_BYTES:
            return _row("database", "warn", f"{detail}: the log should be smaller; restart the server to fold it in")
        return _row("database", "ok", detail)

    def _clock(self) -> Page:
        speed = self._config.clock_speed
        if speed == 1:
            return _row("clock", "ok", "business time is real time")
        return _row("clock", "warn", f"business time runs {speed:g} times as fast as real time: for rehearsals only")


def read_status(connection: Connection, scope: Scope) -> Page:
    """Functions with their aliases, deployments under way, alarms in ALARM."""
    aliases = read_aliases(connection, scope)
    functions = [
        _function(connection, scope, function.name, [alias for alias in aliases if alias.function == function.name])
        for function in read_functions(connection, scope)
    ]
    ids = [id_ for owner, id_ in read_active_ids(connection) if owner == scope]
    active = [found for id_ in ids if (found := read_deployment(connection, scope, id_))]
    alarms = [one for one in read_alarms(connection, scope) if one.standing.state is AlarmState.ALARM]
    return {
        "functions": functions,
        "deployments": [_deployment(one) for one in active],
        "alarms": [_alarm(one) for one in alarms],
    }


def runtime_row(row: RuntimeRow) -> Page:
    """The exact interpreter, a substitute, or none at all."""
    if row.interpreter is None:
        return _row(row.runtime, "warn", row.words)
    return _row(row.runtime, "ok" if row.exact else "warn", row.words)


def isolation_row(found: Isolation, demand: str) -> Page:
    """The level, what it lacks, and what that means."""
    said = f"{found.level}: {found.words}. {found.warning}".rstrip()
    calm = found.level is Level.FULL or demand == "process"
    return _row("isolation", "ok" if calm and not (found.warning and found.level is Level.FULL) else "warn", said)


def _function(connection: Connection, scope: Scope, name: str, aliases: list[Alias]) -> Page:
    latest = read_version(connection, scope, name, LATEST)
    return {
        "name": name,
        "state": latest.state.value if latest else None,
        "update_status": latest.update_status.value if latest and latest.update_status else None,
        "runtime": latest.runtime if latest else None,
        "aliases": [{"name": one.name, "version": one.version, "weights": dict(one.weights)} for one in aliases],
    }


def _deployment(one: Deployment) -> Page:
    return {
        "id": one.id,
        "status": one.status.value,
        "function": one.target.function,
        "alias": one.target.alias,
        "current": one.target.current,
        "target": one.target.version,
        "percent": one.percent,
        "event": one.current_event.name.value if one.current_event else None,
        "next_shift_at": one.next_shift_at,
        "created_at": one.created_at,
        "by": one.by,
    }


def _alarm(one: Alarm) -> Page:
    return {"name": one.name, "since": one.standing.transitioned_at, "reason": one.standing.reason}


def _row(check: str, state: str, detail: str) -> Page:
    return {"check": check, "state": state, "detail": detail}
