"""StopDeployment: ask a deployment to end. Rule: the request is durable first; the tick carries it out.

A second request may turn an unfinished stop into one with rollback, never the other way round: safe wins.
"""

from dataclasses import replace

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.model import Deployment, StopRequest
from penstock.release.records import save_deployment
from penstock.release.requests import wanted_deployment
from penstock.store.database import Connection


def request_stop(connection: Connection, scope: Scope, deployment_id: str | None, request: StopRequest) -> Deployment:
    """Write the request down. Raises `DeploymentAlreadyCompletedException` when there is nothing to stop."""
    deployment = wanted_deployment(connection, scope, deployment_id)
    if not deployment.is_active:
        raise ApiError(
            "DeploymentAlreadyCompletedException",
            f"The deployment {deployment.id} is already complete: its status is {deployment.status}.",
        )
    if deployment.stop is not None and deployment.stop.rollback:
        return deployment
    return save_deployment(connection, replace(deployment, stop=request))
