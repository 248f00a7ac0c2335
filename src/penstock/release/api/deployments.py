"""CodeDeploy's operations on deployments and their hooks."""

from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.gateway.contract import Params, Result
from penstock.release.api.paging import check_batch, paged
from penstock.release.api.shapes import deployment_shape
from penstock.release.create import create_deployment, read_order
from penstock.release.desk import Desk
from penstock.release.model import DeploymentStatus, StopRequest
from penstock.release.records import read_deployment, read_deployments
from penstock.release.report import report
from penstock.release.requests import wanted_application, wanted_deployment, wanted_group
from penstock.release.stop import request_stop
from penstock.store.database import Connection

MOST_AT_ONCE = 25


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    order = read_order(params)
    now, by = desk.clock.now(), context.principal.arn
    made = await desk.store.write(lambda c: create_deployment(c, context.scope, order, desk.markers, by, now))
    desk.wake()
    return {"deploymentId": made.id}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await desk.store.read(lambda c: wanted_deployment(c, context.scope, params.get("deploymentId")))
    return {"deploymentInfo": deployment_shape(found)}


async def batch_get(desk: Desk, context: RequestContext, params: Params) -> Result:
    """Deployments that do not exist are left out."""
    wanted = params["deploymentIds"]
    check_batch(wanted, MOST_AT_ONCE)
    found = await desk.store.read(lambda c: [read_deployment(c, context.scope, one) for one in wanted])
    return {"deploymentsInfo": [deployment_shape(deployment) for deployment in found if deployment]}


async def list_deployments(desk: Desk, context: RequestContext, params: Params) -> Result:
    _check_filters(params)
    scope, application, group = context.scope, params.get("applicationName"), params.get("deploymentGroupName")
    created = params.get("createTimeRange") or {}

    def work(connection: Connection) -> list[tuple[str, str]]:
        if application and group:
            wanted_group(connection, scope, application, group)
        elif application:
            wanted_application(connection, scope, application)
        return read_deployments(
            connection,
            scope,
            application=application,
            group=group,
            statuses=params.get("includeOnlyStatuses") or (),
            start=created.get("start"),
            end=created.get("end"),
        )

    chosen, token = paged(await desk.store.read(work), params.get("nextToken"), lambda pair: pair[0])
    return {"deployments": [deployment_id for _, deployment_id in chosen], "nextToken": token}


async def stop(desk: Desk, context: RequestContext, params: Params) -> Result:
    """Carried out at once when it can be; `Pending` says that the next tick will."""
    scope = context.scope
    request = StopRequest(desk.clock.now(), context.principal.arn, params.get("autoRollbackEnabled"))
    asked = await desk.store.write(lambda c: request_stop(c, scope, params.get("deploymentId"), request))
    stopped = await desk.tick.advance(scope, asked.id)
    if stopped is None or stopped.is_active:
        desk.wake()
        return {"status": "Pending", "statusMessage": "The stop is on record and will be carried out."}
    words = stopped.rollback_info.message if stopped.rollback_info else None
    return {"status": "Succeeded", "statusMessage": words or f"The deployment is {stopped.status}."}


async def put_hook_status(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, execution_id = context.scope, params.get("lifecycleEventHookExecutionId") or ""
    told = params.get("status") or ""
    await desk.store.write(lambda c: report(c, scope, params.get("deploymentId"), execution_id, told))
    desk.wake()
    return {"lifecycleEventHookExecutionId": execution_id}


def _check_filters(params: Params) -> None:
    if params.get("deploymentGroupName") and not params.get("applicationName"):
        raise ApiError("ApplicationNameRequiredException", "deploymentGroupName needs applicationName as well.")
    if params.get("applicationName") and not params.get("deploymentGroupName"):
        raise ApiError("DeploymentGroupNameRequiredException", "applicationName needs deploymentGroupName as well.")
    if params.get("externalId"):
        raise ApiError("InvalidExternalIdException", "No deployment here has an external ID.")
    known = {status.value for status in DeploymentStatus} | {"Baking"}
    unknown = [status for status in params.get("includeOnlyStatuses") or () if status not in known]
    if unknown:
        raise ApiError("InvalidDeploymentStatusException", f"There is no deployment status {unknown[0]!r}.")
    created = params.get("createTimeRange") or {}
    if created.get("start") and created.get("end") and created["start"] > created["end"]:
        raise ApiError("InvalidTimeRangeException", "createTimeRange must not end before it starts.")


OPERATIONS = {
    "CreateDeployment": create,
    "GetDeployment": get,
    "BatchGetDeployments": batch_get,
    "ListDeployments": list_deployments,
    "StopDeployment": stop,
    "PutLifecycleEventHookExecutionStatus": put_hook_status,
}
