"""Markers that people and pipelines write: plan, update, log (CircleCI's words). Rule: a closed marker stays as it is.

Once a real change has taken a plan over, its end is the change's end: a pipeline that then says what is already so is
let through, one that says otherwise is refused.
"""

from dataclasses import dataclass, replace

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.markers.model import BY_HAND, MARKER_MOVES, Marker, MarkerStatus
from penstock.release.markers.records import read_named, write_marker
from penstock.store.database import Connection


@dataclass(frozen=True, slots=True)
class Note:
    """What was handed in."""

    component: str
    environment: str = ""
    name: str | None = None
    namespace: str | None = None
    target_version: str | None = None
    reason: str | None = None
    rollback: bool = False


def plan(connection: Connection, scope: Scope, note: Note, marker_id: str, by: str, now: float) -> Marker:
    """Open a marker (PENDING). An open plan of the same name is superseded: a repeated pipeline plans again."""
    before = read_named(connection, scope, note.name) if note.name else None
    if before is not None and before.status.is_open and not before.joined:
        gone = replace(before, status=MarkerStatus.CANCELED, closed_at=now, failure_reason="planned again")
        write_marker(connection, gone)
    marker = _marker(scope, note, MarkerStatus.PENDING, marker_id, by, now)
    write_marker(connection, marker)
    return marker


def log(
    connection: Connection,
    scope: Scope,
    note: Note,
    status: MarkerStatus,
    failure_reason: str | None,
    marker_id: str,
    by: str,
    now: float,
) -> Marker:
    """Write a whole marker in one go."""
    marker = _marker(scope, note, status, marker_id, by, now)
    marker = replace(marker, closed_at=None if status.is_open else now, failure_reason=failure_reason)
    write_marker(connection, marker)
    return marker


def update(
    connection: Connection,
    scope: Scope,
    name: str,
    status: MarkerStatus,
    failure_reason: str | None,
    now: float,
) -> Marker:
    """Say how a planned change goes. Raises `ApiError`: 404 for an unknown name, 409 for a marker that is closed."""
    marker = read_named(connection, scope, name)
    if marker is None:
        raise ApiError(
            "MarkerNotFound", f"There is no marker {name!r}. `penstock release plan {name}` opens one.", status=404
        )
    if marker.joined and (status is marker.status or (status is MarkerStatus.RUNNING and marker.status.is_open)):
        return marker
    if not marker.status.is_open:
        raise _closed(marker)
    if marker.joined:
        raise ApiError(
            "MarkerFollowsDeployment",
            f"The marker {name!r} belongs to deployment {marker.deployment_id}, which is still running and closes it "
            "by itself. To end the deployment use `penstock rollback` or StopDeployment.",
            status=409,
        )
    if status not in MARKER_MOVES[marker.status]:
        raise ApiError("InvalidMarkerStatus", f"A {marker.status} marker cannot become {status}.", status=409)
    closed_at = None if status.is_open else now
    changed = replace(
        marker, status=status, closed_at=closed_at, failure_reason=failure_reason or marker.failure_reason
    )
    write_marker(connection, changed)
    return changed


def _closed(marker: Marker) -> ApiError:
    return ApiError(
        "MarkerClosed",
        f"The marker {marker.name!r} is closed: it ended {marker.status}"
        + (f" ({marker.failure_reason})" if marker.failure_reason else "")
        + ". A closed marker cannot be updated; plan a new one.",
        status=409,
    )


def _marker(scope: Scope, note: Note, status: MarkerStatus, marker_id: str, by: str, now: float) -> Marker:
    return Marker(
        scope=scope,
        id=marker_id,
        component=note.component,
        kind=BY_HAND,
        status=status,
        opened_at=now,
        by=by,
        environment=note.environment,
        name=note.name or marker_id,
        namespace=note.namespace,
        target_version=note.target_version,
        reason=note.reason,
        rollback=note.rollback,
        planned_at=now,
        planned_by=by,
    )
