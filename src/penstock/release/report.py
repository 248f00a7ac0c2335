"""PutLifecycleEventHookExecutionStatus: what a hook function says about the event it validated.

Rule: the first report of an event counts, and only while the event is in progress.
"""

from dataclasses import replace

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.hooks import takes_report, with_event
from penstock.release.model import Deployment, EventStatus, LifecycleEvent
from penstock.release.records import save_deployment
from penstock.release.requests import wanted_deployment
from penstock.store.database import Connection


def report(connection: Connection, scope: Scope, deployment_id: str | None, execution_id: str, status: str) -> None:
    """Write the report down; the next tick acts on it. Raises `ApiError` with CodeDeploy's codes."""
    deployment = wanted_deployment(connection, scope, deployment_id)
    event = _event(deployment, execution_id)
    if status not in (EventStatus.SUCCEEDED, EventStatus.FAILED):
        raise ApiError(
            "InvalidLifecycleEventHookExecutionStatusException",
            f"A lifecycle event hook may report Succeeded or Failed, not {status or 'nothing'}.",
        )
    if not deployment.is_active or not takes_report(event):
        told = f" It was reported {event.reported} before." if event.reported else ""
        raise ApiError(
            "LifecycleEventAlreadyCompletedException",
            f"The lifecycle event {event.name} of deployment {deployment.id} is already {event.status}.{told}",
        )
    save_deployment(connection, with_event(deployment, replace(event, reported=EventStatus(status))))


def _event(deployment: Deployment, execution_id: str) -> LifecycleEvent:
    for event in deployment.events:
        if execution_id and event.hook and event.execution_id == execution_id and event.status != EventStatus.PENDING:
            return event
    raise ApiError(
        "InvalidLifecycleEventHookExecutionIdException",
        f"Deployment {deployment.id} has no lifecycle event hook execution {execution_id!r}. Pass on the "
        "LifecycleEventHookExecutionId of the event that the hook function was invoked with.",
    )
