"""Writes markers on other rooms' transactions: whatever really changes is on the timeline, in the same commit.

Rule: needs only a clock and dice, so that it exists before the registry that reports to it.
"""

from dataclasses import replace

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.dice import Dice, new_uuid
from penstock.registry.ports import Change
from penstock.release.markers.following import followed, marker_of
from penstock.release.markers.joining import joined, plan_for
from penstock.release.markers.model import Marker, MarkerStatus
from penstock.release.markers.records import read_marker, read_open, write_marker
from penstock.release.model import Deployment
from penstock.store.database import Connection


class Markers:
    """The registry's `ChangeLog`, and the deployments' side of the timeline."""

    def __init__(self, *, clock: Clock, dice: Dice) -> None:
        """See the module."""
        self.clock = clock
        self.dice = dice

    def record(self, connection: Connection, change: Change) -> None:
        """A change that has just happened: one closed marker, joined with the plan that announced it."""
        marker = Marker(
            scope=change.scope,
            id=new_uuid(self.dice),
            component=change.component,
            kind=change.action,
            status=MarkerStatus.SUCCESS,
            opened_at=change.at,
            closed_at=change.at,
            by=change.by,
            environment=change.alias or "",
            alias=change.alias,
            target_version=change.target_version,
            previous_version=change.previous_version,
            detail=dict(change.detail),
        )
        self.add(connection, marker)

    def add(self, connection: Connection, marker: Marker) -> Marker:
        """Write a new marker, or the plan it carries out; gives what was written."""
        plan = plan_for(marker, read_open(connection, marker.scope, marker.component))
        written = marker if plan is None else joined(plan, marker)
        write_marker(connection, written)
        return written

    def open(self, connection: Connection, deployment: Deployment, undone: Deployment | None = None) -> Marker:
        """The marker of a new deployment. Its id may be that of a plan: the deployment must remember it.

        `undone` is the deployment that a rollback takes back.
        """
        marker = marker_of(deployment)
        if undone is not None:
            detail = {**marker.detail, "carried_traffic": bool(undone.shifts)}
            marker = replace(marker, undoes=undone.marker_id, detail=detail)
        return self.add(connection, marker)

    def follow(self, connection: Connection, deployment: Deployment) -> None:
        """Bring the deployment's marker up to date, in the transaction that changes the deployment."""
        marker = read_marker(connection, deployment.scope, deployment.marker_id)
        write_marker(connection, marker_of(deployment) if marker is None else followed(marker, deployment))


class OpenGuard:
    """The registry's `AliasGuard` while no operator has guarded an alias: everyone may move one.

    A deployment under way needs no guard: it notices the move and fails instead of fighting.
    """

    def check(self, connection: Connection, scope: Scope, function: str, alias: str) -> None:
        """Nothing is guarded."""
