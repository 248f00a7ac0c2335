"""CodeDeploy's operations on applications."""

from penstock.core.context import RequestContext
from penstock.core.dice import new_uuid
from penstock.core.errors import ApiError
from penstock.gateway.contract import Params, Result
from penstock.release import records
from penstock.release.api.paging import check_batch, paged
from penstock.release.api.shapes import application_shape
from penstock.release.catalog.model import LAMBDA, Application
from penstock.release.catalog.records import (
    delete_application,
    insert_application,
    move_tags,
    read_application,
    read_applications,
    read_groups,
    rename_application,
    write_tags,
)
from penstock.release.catalog.tags import new_tags
from penstock.release.desk import Desk
from penstock.release.requests import wanted_application
from penstock.store.database import Connection


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    if (platform := params.get("computePlatform") or "Server") != LAMBDA:
        raise ApiError(
            "InvalidComputePlatformException",
            f"Penstock deploys Lambda functions only: pass computePlatform=Lambda, not {platform}.",
        )
    application = Application(context.scope, params["applicationName"], new_uuid(desk.dice), desk.clock.now())
    tags = new_tags(params.get("tags"))

    def work(connection: Connection) -> None:
        _refuse_existing(connection, application)
        insert_application(connection, application)
        write_tags(connection, context.scope, application.arn, tags)

    await desk.store.write(work)
    return {"applicationId": application.id}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await desk.store.read(lambda c: wanted_application(c, context.scope, params.get("applicationName")))
    return {"application": application_shape(found)}


async def batch_get(desk: Desk, context: RequestContext, params: Params) -> Result:
    names = params["applicationNames"]
    check_batch(names, 100)
    found = await desk.store.read(lambda c: [wanted_application(c, context.scope, name) for name in names])
    return {"applicationsInfo": [application_shape(application) for application in found]}


async def list_applications(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await desk.store.read(lambda c: read_applications(c, context.scope))
    chosen, token = paged([application.name for application in found], params.get("nextToken"), str)
    return {"applications": chosen, "nextToken": token}


async def update(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, new = context.scope, params.get("newApplicationName")

    def work(connection: Connection) -> None:
        before = wanted_application(connection, scope, params.get("applicationName"))
        if not new or new == before.name:
            return
        after = Application(scope, new, before.id, before.created_at)
        _refuse_existing(connection, after)
        for group in read_groups(connection, scope, before.name):
            renamed = group.arn.replace(f"deploymentgroup:{before.name}/", f"deploymentgroup:{new}/")
            move_tags(connection, scope, group.arn, renamed)
        move_tags(connection, scope, before.arn, after.arn)
        rename_application(connection, scope, before.name, new)
        records.rename_application(connection, scope, before.name, new)

    await desk.store.write(work)
    return {}


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    """Fine when there is none, as in AWS. Its deployments stay on record; one under way goes on."""
    scope, name = context.scope, params["applicationName"]

    def work(connection: Connection) -> None:
        application = read_application(connection, scope, name)
        if application is None:
            return
        for arn in (application.arn, *(group.arn for group in read_groups(connection, scope, name))):
            write_tags(connection, scope, arn, {})
        delete_application(connection, scope, name)

    await desk.store.write(work)
    return {}


def _refuse_existing(connection: Connection, application: Application) -> None:
    if read_application(connection, application.scope, application.name) is not None:
        raise ApiError("ApplicationAlreadyExistsException", f"The application {application.name} already exists.")


OPERATIONS = {
    "CreateApplication": create,
    "GetApplication": get,
    "BatchGetApplications": batch_get,
    "ListApplications": list_applications,
    "UpdateApplication": update,
    "DeleteApplication": delete,
}
