"""CodeDeploy's operations on deployment targets: a Lambda deployment has exactly one, its alias."""

from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.gateway.contract import Params, Result
from penstock.release.api.shapes import target_shape, target_status
from penstock.release.desk import Desk
from penstock.release.model import Deployment
from penstock.release.requests import wanted_deployment

STATUSES = {"Failed", "InProgress", "Pending", "Ready", "Skipped", "Succeeded", "Unknown"}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await _deployment(desk, context, params)
    _check_target(found, params["targetId"])
    return {"deploymentTarget": target_shape(found)}


async def batch_get(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await _deployment(desk, context, params)
    wanted = params["targetIds"]
    if not wanted:
        raise ApiError("DeploymentTargetIdRequiredException", "At least one target ID is required.")
    if len(wanted) > 1:
        raise ApiError("DeploymentTargetListSizeExceededException", "A Lambda deployment has exactly one target.")
    _check_target(found, wanted[0])
    return {"deploymentTargets": [target_shape(found)]}


async def list_targets(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await _deployment(desk, context, params)
    filters = params.get("targetFilters") or {}
    unknown = sorted(set(filters) - {"TargetStatus"})
    if unknown:
        raise ApiError("InvalidTargetFilterNameException", f"{unknown[0]} is not a filter for Lambda deployments.")
    wanted = filters.get("TargetStatus")
    strange = sorted(set(wanted or ()) - STATUSES)
    if strange:
        raise ApiError("InvalidInstanceStatusException", f"There is no target status {strange[0]!r}.")
    return {"targetIds": [found.target_id] if not wanted or target_status(found) in wanted else []}


async def _deployment(desk: Desk, context: RequestContext, params: Params) -> Deployment:
    return await desk.store.read(lambda c: wanted_deployment(c, context.scope, params.get("deploymentId")))


def _check_target(deployment: Deployment, target_id: str) -> None:
    """`orders:live` is the ID; AWS's documentation also speaks of the function's name."""
    if target_id not in (deployment.target_id, deployment.target.function, deployment.target_arn):
        raise ApiError(
            "DeploymentTargetDoesNotExistException",
            f"The deployment {deployment.id} has no target {target_id!r}; its target is {deployment.target_id}.",
        )


OPERATIONS = {
    "GetDeploymentTarget": get,
    "BatchGetDeploymentTargets": batch_get,
    "ListDeploymentTargets": list_targets,
}
