"""The timeline as people read it: markers with the error rate before and after each. Rule: reads only.

A rate that was not measured is null, which is not the same as zero.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from penstock.core.context import Scope
from penstock.registry.aliases import read_alias, read_version
from penstock.registry.model import Alias
from penstock.release.markers.known_good import last_known_good
from penstock.release.markers.model import Marker, MarkerStatus
from penstock.release.markers.records import read_history
from penstock.release.model import Deployment
from penstock.release.ports import ErrorRates, Rate
from penstock.release.records import read_active_of_alias
from penstock.store.database import Connection

WINDOW_S = 300.0
"""How much before and after a change is looked at."""


def marker_shape(marker: Marker) -> dict[str, Any]:
    """A marker as JSON: its members by their names, without the scope. `shifts` are pairs of when and the shares."""
    return {key: value for key, value in asdict(marker).items() if key != "scope"}


async def with_rates(marker: Marker, rates: ErrorRates, now: float) -> dict[str, Any]:
    """The marker, and how its alias did in the minutes before and after."""
    shape = marker_shape(marker)
    kind, _, function = marker.component.partition("/")
    if kind == "lambda" and marker.alias:
        began = marker.opened_at
        ended = max(marker.closed_at or now, began + WINDOW_S)
        place = (rates, marker.scope, function, marker.alias)
        shape["errors"] = {
            "before": await _measured(*place, None, began - WINDOW_S, began),
            "after": await _measured(*place, None, began, min(ended, now)),
        }
    return shape


async def _measured(
    rates: ErrorRates, scope: Scope, function: str, alias: str, version: str | None, start: float, end: float
) -> Mapping[str, Any] | None:
    return rate_shape(await rates.rate(scope, function, alias, version, start, end)) if start < end else None


@dataclass(frozen=True, slots=True)
class Live:
    """What the store knows of an alias."""

    alias: Alias
    history: tuple[Marker, ...]
    deployment: Deployment | None
    known_good: str | None
    """Where a rollback would go now."""

    @property
    def marker(self) -> Marker | None:
        """The change that brought the version that is live now."""
        brought = (one for one in reversed(self.history) if one.target_version == self.alias.version)
        return next((one for one in brought if one.status is MarkerStatus.SUCCESS), None)


def read_live(connection: Connection, scope: Scope, function: str, name: str) -> Live | None:
    """One snapshot of an alias and its past, or None when there is no such alias."""
    alias = read_alias(connection, scope, function, name)
    if alias is None:
        return None
    history = read_history(connection, scope, f"lambda/{function}", name)
    good = last_known_good(alias, history, lambda v: read_version(connection, scope, function, v) is not None)
    active = read_active_of_alias(connection, scope, function, name)
    # While a deployment is under way, going back means going back to where it came from.
    return Live(alias, tuple(history), active, (active.target.current if active else None) or good)


async def live_shape(live: Live, rates: ErrorRates, now: float) -> Mapping[str, Any]:
    """Which version is live, since when, by whom, why; and how it does."""
    alias, marker = live.alias, live.marker
    since = marker.closed_at or marker.opened_at if marker else None

    measured = partial(_measured, rates, alias.scope, alias.function, alias.name)

    errors: dict[str, Any] = {"now": await measured(None, now - WINDOW_S, now)}
    if marker is not None and since is not None:
        errors["before"] = await measured(None, marker.opened_at - WINDOW_S, marker.opened_at)
        errors["after"] = await measured(None, since, min(now, since + WINDOW_S))
    errors["versions"] = {one: await measured(one, now - WINDOW_S, now) for one in (alias.version, *alias.weights)}
    return {
        "function": alias.function,
        "alias": alias.name,
        "version": alias.version,
        "weights": _weights(alias),
        "since": since,
        "by": marker.by if marker else None,
        "why": marker.reason if marker else None,
        "marker": marker_shape(marker) if marker else None,
        "deployment": _under_way(live.deployment) if live.deployment else None,
        "last_known_good": live.known_good,
        "errors": errors,
    }


def rate_shape(rate: Rate | None) -> Mapping[str, Any] | None:
    """Requests, errors and their share."""
    if rate is None:
        return None
    share = rate.errors / rate.requests if rate.requests else None
    return {"requests": rate.requests, "errors": rate.errors, "error_rate": share}


def _weights(alias: Alias) -> Mapping[str, float]:
    others = {version: round(weight * 100, 4) for version, weight in alias.weights.items()}
    return {alias.version: round(100 - sum(others.values()), 4), **others}


def _under_way(deployment: Deployment) -> Mapping[str, Any]:
    event = deployment.current_event
    return {
        "id": deployment.id,
        "status": deployment.status.value,
        "event": event.name.value if event else None,
        "to": deployment.target.version,
        "percent": deployment.percent,
        "next_shift_at": deployment.next_shift_at,
        "created_at": deployment.created_at,
        "by": deployment.by,
        "why": deployment.description,
    }
