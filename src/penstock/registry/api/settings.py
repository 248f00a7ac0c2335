"""Wire operations on what belongs to a function or account as a whole: tags, reserved concurrency, account limits."""

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.concurrency import set_aside, totals
from penstock.registry.desk import Desk
from penstock.registry.layers.model import LayerVersion
from penstock.registry.layers.records import read_layer_versions
from penstock.registry.model import LATEST, FunctionVersion
from penstock.registry.package import UNZIPPED_LIMIT, ZIPPED_LIMIT
from penstock.registry.provisioned_records import read_provisioned
from penstock.registry.records import read_functions, read_versions
from penstock.registry.reserve import delete_concurrency, get_concurrency, put_concurrency
from penstock.registry.tag import list_tags, tag_resource, untag_resource
from penstock.store.database import Connection

CODE_STORAGE_LIMIT = 80_530_636_800
"""AWS's 75 GB. Shown, not enforced: here the disk is the limit."""


async def tag(desk: Desk, context: RequestContext, params: Params) -> Result:
    await tag_resource(desk, context, params)
    return {}


async def untag(desk: Desk, context: RequestContext, params: Params) -> Result:
    await untag_resource(desk, context, params)
    return {}


async def tags(desk: Desk, context: RequestContext, params: Params) -> Result:
    return {"Tags": dict(await list_tags(desk, context, params))}


async def put_reserved(desk: Desk, context: RequestContext, params: Params) -> Result:
    return {"ReservedConcurrentExecutions": await put_concurrency(desk, context, params)}


async def get_reserved(desk: Desk, context: RequestContext, params: Params) -> Result:
    return {"ReservedConcurrentExecutions": await get_concurrency(desk, context, params)}


async def delete_reserved(desk: Desk, context: RequestContext, params: Params) -> Result:
    await delete_concurrency(desk, context, params)
    return {}


async def account_settings(desk: Desk, context: RequestContext, params: Params) -> Result:  # noqa: ARG001 - no members
    def read(connection: Connection) -> tuple[int, list[FunctionVersion], list[LayerVersion]]:
        provisioned = totals(read_provisioned(connection, context.scope))
        return (
            set_aside(read_functions(connection, context.scope), provisioned),
            read_versions(connection, context.scope),
            read_layer_versions(connection, context.scope),
        )

    aside, versions, layers = await desk.store.read(read)
    return {
        "AccountLimit": {
            "TotalCodeSize": CODE_STORAGE_LIMIT,
            "CodeSizeUnzipped": UNZIPPED_LIMIT,
            "CodeSizeZipped": ZIPPED_LIMIT,
            "ConcurrentExecutions": desk.account_concurrency,
            "UnreservedConcurrentExecutions": desk.account_concurrency - aside,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(version.code_size for version in versions) + sum(layer.code_size for layer in layers),
            "FunctionCount": sum(version.version == LATEST for version in versions),
        },
    }


OPERATIONS = {
    "TagResource": tag,
    "UntagResource": untag,
    "ListTags": tags,
    "PutFunctionConcurrency": put_reserved,
    "GetFunctionConcurrency": get_reserved,
    "DeleteFunctionConcurrency": delete_reserved,
    "GetAccountSettings": account_settings,
}
