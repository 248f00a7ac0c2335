"""The state machines of a deployment and of its lifecycle events, as tables.

Rule: no status changes but through `moved_deployment` and `moved_event`, which refuse what the tables do not have.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from penstock.release.model import Deployment, DeploymentStatus, EventStatus, LifecycleEvent

_D, _E = DeploymentStatus, EventStatus

DEPLOYMENT_MOVES: Mapping[DeploymentStatus, frozenset[DeploymentStatus]] = MappingProxyType(
    {
        _D.CREATED: frozenset({_D.QUEUED, _D.IN_PROGRESS, _D.FAILED, _D.STOPPED}),
        _D.QUEUED: frozenset({_D.IN_PROGRESS, _D.FAILED, _D.STOPPED}),
        _D.IN_PROGRESS: frozenset({_D.READY, _D.SUCCEEDED, _D.FAILED, _D.STOPPED}),
        _D.READY: frozenset({_D.IN_PROGRESS, _D.SUCCEEDED, _D.FAILED, _D.STOPPED}),
        _D.SUCCEEDED: frozenset(),
        _D.FAILED: frozenset(),
        _D.STOPPED: frozenset(),
    }
)

EVENT_MOVES: Mapping[EventStatus, frozenset[EventStatus]] = MappingProxyType(
    {
        _E.PENDING: frozenset({_E.IN_PROGRESS, _E.SKIPPED}),
        _E.IN_PROGRESS: frozenset({_E.SUCCEEDED, _E.FAILED, _E.SKIPPED, _E.UNKNOWN}),
        _E.SUCCEEDED: frozenset(),
        _E.FAILED: frozenset(),
        _E.SKIPPED: frozenset(),
        _E.UNKNOWN: frozenset(),
    }
)


class IllegalMoveError(RuntimeError):
    """A status change that the tables do not have: our bug, never the caller's."""


def moved_deployment(deployment: Deployment, status: DeploymentStatus) -> Deployment:
    """The deployment in `status`; raises `IllegalMoveError` when there is no such move."""
    if status not in DEPLOYMENT_MOVES[deployment.status]:
        raise IllegalMoveError(f"deployment {deployment.id}: {deployment.status} cannot become {status}")
    return replace(deployment, status=status)


def moved_event(event: LifecycleEvent, status: EventStatus, now: float, message: str | None = None) -> LifecycleEvent:
    """The event in `status`, with its start or end time; raises `IllegalMoveError` when there is no such move."""
    if status not in EVENT_MOVES[event.status]:
        raise IllegalMoveError(f"lifecycle event {event.name}: {event.status} cannot become {status}")
    if status is EventStatus.IN_PROGRESS:
        return replace(event, status=status, started_at=now, message=message)
    started_at = event.started_at if event.started_at is not None or status is EventStatus.SKIPPED else now
    return replace(event, status=status, started_at=started_at, ended_at=now, message=message)
