"""Finding what a request names, or refusing in CodeDeploy's words. Rule: the only place that words these refusals."""

import re

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.catalog.model import Application, Group
from penstock.release.catalog.records import read_application, read_group
from penstock.release.model import Deployment
from penstock.release.records import read_deployment
from penstock.store.database import Connection

DEPLOYMENT_ID = re.compile(r"d-[A-Z0-9]{1,30}")


def wanted_deployment(connection: Connection, scope: Scope, deployment_id: str | None) -> Deployment:
    """The deployment, or `DeploymentIdRequired`, `InvalidDeploymentId` or `DeploymentDoesNotExistException`."""
    if not deployment_id:
        raise ApiError("DeploymentIdRequiredException", "The deployment ID is required: pass deploymentId.")
    if not DEPLOYMENT_ID.fullmatch(deployment_id):
        raise ApiError(
            "InvalidDeploymentIdException",
            f"The deployment ID {deployment_id!r} is not valid. A deployment ID looks like d-9XYZ12ABC.",
        )
    deployment = read_deployment(connection, scope, deployment_id)
    if deployment is None:
        raise ApiError("DeploymentDoesNotExistException", f"The deployment {deployment_id} could not be found.")
    return deployment


def wanted_application(connection: Connection, scope: Scope, name: str | None) -> Application:
    """The application, or `ApplicationNameRequired` or `ApplicationDoesNotExistException`."""
    if not name:
        raise ApiError("ApplicationNameRequiredException", "The application name is required: pass applicationName.")
    application = read_application(connection, scope, name)
    if application is None:
        raise ApiError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return application


def wanted_group(connection: Connection, scope: Scope, application: str | None, name: str | None) -> Group:
    """The group of an existing application, or `DeploymentGroupNameRequired`/`DoesNotExistException`."""
    owner = wanted_application(connection, scope, application)
    if not name:
        raise ApiError(
            "DeploymentGroupNameRequiredException", "The deployment group name is required: pass deploymentGroupName."
        )
    group = read_group(connection, scope, owner.name, name)
    if group is None:
        raise ApiError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return group
