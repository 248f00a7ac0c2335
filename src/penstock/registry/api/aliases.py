"""Wire operations on aliases. Rule: translate, call the use case, translate back."""

from penstock.core.arns import function_arn
from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.api.shapes import alias_shape, page_of
from penstock.registry.desk import Desk
from penstock.registry.lookup import existing_function
from penstock.registry.model import Alias
from penstock.registry.move import create_alias, delete_alias, update_alias
from penstock.registry.records import read_alias, read_aliases
from penstock.registry.reference import read_unqualified
from penstock.registry.refusals import not_found
from penstock.store.database import Connection

PAGE_LIMIT = 50


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    return alias_shape(await create_alias(desk, context, params))


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    name = read_unqualified(context, params["FunctionName"])
    alias = await desk.store.read(lambda connection: read_alias(connection, context.scope, name, params["Name"]))
    if alias is None:
        raise not_found(f"Cannot find alias arn: {function_arn(context.scope, name, params['Name'])}")
    return alias_shape(alias)


async def update(desk: Desk, context: RequestContext, params: Params) -> Result:
    return alias_shape(await update_alias(desk, context, params))


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    await delete_alias(desk, context, params)
    return {}


async def list_aliases(desk: Desk, context: RequestContext, params: Params) -> Result:
    name = read_unqualified(context, params["FunctionName"])
    version = params.get("FunctionVersion")

    def read(connection: Connection) -> list[Alias]:
        existing_function(connection, context.scope, name)
        return read_aliases(connection, context.scope, name)

    found = [alias for alias in await desk.store.read(read) if version in (None, alias.version, *alias.weights)]
    chosen, marker = page_of(found, params.get("Marker"), params.get("MaxItems") or PAGE_LIMIT, lambda one: one.name)
    return {"Aliases": [alias_shape(alias) for alias in chosen], "NextMarker": marker}


OPERATIONS = {
    "CreateAlias": create,
    "GetAlias": get,
    "UpdateAlias": update,
    "DeleteAlias": delete,
    "ListAliases": list_aliases,
}
