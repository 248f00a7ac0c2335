"""CodeDeploy's tag operations."""

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.release.catalog.records import read_tags, write_tags
from penstock.release.catalog.tags import check_tagged, new_tags
from penstock.release.desk import Desk
from penstock.store.database import Connection


async def tag(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, arn = context.scope, params["ResourceArn"]

    def work(connection: Connection) -> None:
        check_tagged(connection, scope, arn)
        write_tags(connection, scope, arn, new_tags(params["Tags"], read_tags(connection, scope, arn)))

    await desk.store.write(work)
    return {}


async def untag(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, arn, gone = context.scope, params["ResourceArn"], set(params["TagKeys"])

    def work(connection: Connection) -> None:
        check_tagged(connection, scope, arn)
        known = read_tags(connection, scope, arn)
        write_tags(connection, scope, arn, {key: value for key, value in known.items() if key not in gone})

    await desk.store.write(work)
    return {}


async def list_tags(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, arn = context.scope, params["ResourceArn"]

    def work(connection: Connection) -> dict[str, str]:
        check_tagged(connection, scope, arn)
        return read_tags(connection, scope, arn)

    return {"Tags": [{"Key": key, "Value": value} for key, value in (await desk.store.read(work)).items()]}


OPERATIONS = {"TagResource": tag, "UntagResource": untag, "ListTagsForResource": list_tags}
