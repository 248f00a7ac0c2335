"""CodeDeploy's operations on deployment groups."""

from penstock.core.context import RequestContext
from penstock.core.dice import new_uuid
from penstock.gateway.contract import Params, Result
from penstock.release.api.paging import check_batch, paged
from penstock.release.api.shapes import Shape, group_shape
from penstock.release.catalog.groups import create_group, update_group
from penstock.release.catalog.model import Group
from penstock.release.catalog.records import delete_group, read_group, read_groups, write_tags
from penstock.release.catalog.tags import new_tags
from penstock.release.desk import Desk
from penstock.release.model import DeploymentStatus
from penstock.release.records import read_last_of_group
from penstock.release.requests import wanted_application, wanted_group
from penstock.store.database import Connection


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    tags = new_tags(params.get("tags"))

    def work(connection: Connection) -> Group:
        group = create_group(connection, context.scope, params, new_uuid(desk.dice))
        write_tags(connection, context.scope, group.arn, tags)
        return group

    return {"deploymentGroupId": (await desk.store.write(work)).id}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    def work(connection: Connection) -> Shape:
        group = wanted_group(connection, context.scope, params["applicationName"], params["deploymentGroupName"])
        return _shape(connection, group)

    return {"deploymentGroupInfo": await desk.store.read(work)}


async def batch_get(desk: Desk, context: RequestContext, params: Params) -> Result:
    """Names that do not exist are told in `errorMessage`, the others are returned."""
    names = params["deploymentGroupNames"]
    check_batch(names, 100)

    def work(connection: Connection) -> dict[str, Shape | None]:
        owner = wanted_application(connection, context.scope, params["applicationName"])
        found = {name: read_group(connection, context.scope, owner.name, name) for name in names}
        return {name: _shape(connection, group) if group else None for name, group in found.items()}

    found = await desk.store.read(work)
    missing = [name for name, shape in found.items() if shape is None]
    return {
        "deploymentGroupsInfo": [shape for shape in found.values() if shape],
        "errorMessage": f"No Deployment Group found for name: {', '.join(missing)}" if missing else None,
    }


async def list_groups(desk: Desk, context: RequestContext, params: Params) -> Result:
    def work(connection: Connection) -> list[Group]:
        owner = wanted_application(connection, context.scope, params["applicationName"])
        return read_groups(connection, context.scope, owner.name)

    names = [group.name for group in await desk.store.read(work)]
    chosen, token = paged(names, params.get("nextToken"), str)
    return {"applicationName": params["applicationName"], "deploymentGroups": chosen, "nextToken": token}


async def update(desk: Desk, context: RequestContext, params: Params) -> Result:
    await desk.store.write(lambda c: update_group(c, context.scope, params))
    return {"hooksNotCleanedUp": []}


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    """Fine when there is none, as in AWS. Its deployments stay on record; one under way goes on."""
    scope, application, name = context.scope, params["applicationName"], params["deploymentGroupName"]

    def work(connection: Connection) -> None:
        group = read_group(connection, scope, application, name)
        if group is not None:
            write_tags(connection, scope, group.arn, {})
            delete_group(connection, scope, application, name)

    await desk.store.write(work)
    return {"hooksNotCleanedUp": []}


def _shape(connection: Connection, group: Group) -> Shape:
    succeeded = read_last_of_group(connection, group.scope, group.id, DeploymentStatus.SUCCEEDED)
    return group_shape(group, succeeded, read_last_of_group(connection, group.scope, group.id))


OPERATIONS = {
    "CreateDeploymentGroup": create,
    "GetDeploymentGroup": get,
    "BatchGetDeploymentGroups": batch_get,
    "ListDeploymentGroups": list_groups,
    "UpdateDeploymentGroup": update,
    "DeleteDeploymentGroup": delete,
}
