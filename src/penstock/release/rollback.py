"""Rollback by hand: one call that puts an alias back, whatever is going on. Rule: alias and marker in one transaction.

A deployment under way is stopped with rollback first: the person on call wants the traffic back, not a lecture.
Without a target the last known good version is taken; when there is none, the refusal says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.core.context import RequestContext, Scope
from penstock.core.dice import Dice, new_uuid
from penstock.core.errors import ApiError
from penstock.registry.aliases import read_alias, read_version, set_route
from penstock.registry.model import Alias, State
from penstock.release.desk import Desk
from penstock.release.markers.known_good import last_known_good, verdicts
from penstock.release.markers.model import ROLLBACK, Marker, MarkerStatus
from penstock.release.markers.recorder import Markers
from penstock.release.markers.records import read_history
from penstock.release.model import Deployment, StopRequest, Weights
from penstock.release.records import read_active_of_alias
from penstock.release.routes import described, is_route
from penstock.release.stop import request_stop
from penstock.store.database import Connection


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asks for."""

    function: str
    alias: str
    to: str | None
    reason: str | None
    by: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The alias as it is now, and the marker that says so."""

    alias: Alias
    marker: Marker


async def roll_back(desk: Desk, context: RequestContext, wish: Wish) -> Mapping[str, Any]:
    """Carry the wish out. Raises `ApiError` (404, 409): nothing moved then, but a deployment may have been stopped."""
    stopped = await _stop_active(desk, context.scope, wish)
    if stopped is not None and await _is_back(desk, stopped, wish.to):
        return _told(wish, stopped.target.current, stopped.target.version, stopped)
    now = desk.clock.now()
    done = await desk.commits.run(
        lambda c: _move(c, context.scope, wish, desk.markers, now), lambda moved: desk.routing.put_alias(moved.alias)
    )
    return _told(wish, done.alias.version, done.marker.previous_version, stopped, done.marker)


async def _is_back(desk: Desk, stopped: Deployment, to: str | None) -> bool:
    """Whether stopping the deployment was all there was to do."""
    target = stopped.target
    alias = await desk.store.read(lambda c: read_alias(c, stopped.scope, target.function, target.alias))
    back = target.current
    return back is not None and to in (None, back) and is_route(alias, Weights(back))


async def _stop_active(desk: Desk, scope: Scope, wish: Wish) -> Deployment | None:
    request = StopRequest(desk.clock.now(), wish.by, rollback=True, reason=wish.reason or "")

    def work(connection: Connection) -> Deployment | None:
        active = read_active_of_alias(connection, scope, wish.function, wish.alias)
        return request_stop(connection, scope, active.id, request) if active else None

    asked = await desk.store.write(work)
    if asked is None:
        return None
    ended = await desk.tick.advance(scope, asked.id)
    if ended is None or ended.is_active:
        desk.wake()
        raise _refusal("DeploymentStopping", f"Deployment {asked.id} is being stopped and rolled back; ask again.")
    return ended


def _move(connection: Connection, scope: Scope, wish: Wish, markers: Markers, now: float) -> RolledBack:
    alias = read_alias(connection, scope, wish.function, wish.alias)
    if alias is None:
        raise ApiError("ResourceNotFoundException", f"There is no alias {wish.function}:{wish.alias}.", status=404)
    history = read_history(connection, scope, f"lambda/{wish.function}", wish.alias)
    target = _target(connection, alias, wish, history)
    moved = set_route(
        connection,
        scope=scope,
        function=wish.function,
        alias=wish.alias,
        version=target,
        weights={},
        expected_revision_id=alias.revision_id,
        revision_id=new_uuid(markers.dice),
    )
    marker = markers.add(connection, _marker(alias, target, wish, history, markers.dice, now))
    return RolledBack(moved, marker)


def _target(connection: Connection, alias: Alias, wish: Wish, history: list[Marker]) -> str:
    def exists(version: str) -> bool:
        found = read_version(connection, alias.scope, alias.function, version)
        return found is not None and found.state is State.ACTIVE

    target = wish.to or last_known_good(alias, history, exists)
    if target is None:
        bad = sorted(verdicts(history).bad)
        known = f" Versions {', '.join(bad)} were rolled back from before." if bad else ""
        raise _refusal(
            "NoKnownGoodVersion",
            f"{alias.function}:{alias.name} points at {described(alias)}, and no other version of it is known to have "
            f"been good.{known} Name the version you want with --to.",
        )
    if not target.isdigit() or not exists(target):
        raise _refusal("VersionNotUsable", f"{alias.function} has no published, active version {target}.")
    if alias.version == target and not alias.weights:
        raise _refusal("AlreadyThere", f"{alias.function}:{alias.name} already sends everything to version {target}.")
    return target


def _marker(alias: Alias, target: str, wish: Wish, history: list[Marker], dice: Dice, now: float) -> Marker:
    # Whoever shared the traffic besides the target is what was wrong.
    left = alias.version if alias.version != target else next(iter(alias.weights), None)
    undone = next((one.id for one in reversed(history) if one.target_version == left and not one.rollback), None)
    return Marker(
        scope=alias.scope,
        id=new_uuid(dice),
        component=f"lambda/{alias.function}",
        kind=ROLLBACK,
        status=MarkerStatus.SUCCESS,
        opened_at=now,
        closed_at=now,
        by=wish.by,
        environment=alias.name,
        alias=alias.name,
        target_version=target,
        previous_version=left,
        reason=wish.reason,
        rollback=True,
        undoes=undone,
        shifts=((now, {target: 100.0}),),
        detail={"previous_weights": dict(alias.weights), "carried_traffic": True},
    )


def _told(
    wish: Wish, version: str | None, previous: str | None, stopped: Deployment | None, marker: Marker | None = None
) -> Mapping[str, Any]:
    info = stopped.rollback_info if stopped else None
    return {
        "function": wish.function,
        "alias": wish.alias,
        "version": version,
        "previous_version": previous,
        "reason": wish.reason,
        "stopped_deployment_id": stopped.id if stopped else None,
        "rollback_deployment_id": info.deployment_id if info else None,
        "marker_id": marker.id if marker else None,
    }


def _refusal(code: str, words: str) -> ApiError:
    return ApiError(code, words, status=409)
