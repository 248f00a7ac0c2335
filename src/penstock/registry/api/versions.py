"""Wire operations on published versions. Rule: translate, call the use case, translate back."""

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.api.functions import PAGE_LIMIT, sort_key
from penstock.registry.api.shapes import configuration, listed, page_of
from penstock.registry.desk import Desk
from penstock.registry.lookup import existing_function
from penstock.registry.model import FunctionVersion
from penstock.registry.publish import publish_version
from penstock.registry.records import read_versions
from penstock.registry.reference import read_unqualified
from penstock.store.database import Connection


async def publish(desk: Desk, context: RequestContext, params: Params) -> Result:
    version = await publish_version(desk, context, params)
    return configuration(desk, version, version.version)


async def list_versions(desk: Desk, context: RequestContext, params: Params) -> Result:
    name = read_unqualified(context, params["FunctionName"])

    def read(connection: Connection) -> list[FunctionVersion]:
        existing_function(connection, context.scope, name)
        return read_versions(connection, context.scope, name)

    limit = min(params.get("MaxItems") or PAGE_LIMIT, PAGE_LIMIT)
    chosen, marker = page_of(await desk.store.read(read), params.get("Marker"), limit, sort_key)
    return {"Versions": [listed(desk, version, version.version) for version in chosen], "NextMarker": marker}


OPERATIONS = {"PublishVersion": publish, "ListVersionsByFunction": list_versions}
