"""Wire operations on functions: create, look, change, delete. Rule: translate, call the use case, translate back."""

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.api.shapes import configuration, endpoint, listed, page_of
from penstock.registry.create import create_function
from penstock.registry.delete import delete_function
from penstock.registry.desk import Desk
from penstock.registry.lookup import existing_version
from penstock.registry.model import LATEST, Function, FunctionVersion
from penstock.registry.records import read_function, read_versions
from penstock.registry.reference import Reference, read_reference
from penstock.registry.refusals import function_not_found
from penstock.registry.update import update_code, update_configuration
from penstock.store.database import Connection

PAGE_LIMIT = 50
"""The most AWS returns of functions and versions, whatever MaxItems says."""


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    # AWS answers with version 1 under the function's unqualified ARN when it publishes at once.
    return configuration(desk, await create_function(desk, context, params), None)


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    reference, function, version = await _find(desk, context, params)
    reserved = function.reserved_concurrency
    return {
        "Configuration": configuration(desk, version, reference.qualifier),
        "Code": {"RepositoryType": "S3", "Location": desk.links.make(endpoint(context), version.code_sha256)},
        "Tags": dict(function.tags) or None,
        "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
    }


async def get_configuration(desk: Desk, context: RequestContext, params: Params) -> Result:
    reference, _, version = await _find(desk, context, params)
    return configuration(desk, version, reference.qualifier)


async def list_functions(desk: Desk, context: RequestContext, params: Params) -> Result:
    everything = params.get("FunctionVersion") == "ALL"
    versions = await desk.store.read(lambda c: read_versions(c, context.scope, latest_only=not everything))
    limit = min(params.get("MaxItems") or PAGE_LIMIT, PAGE_LIMIT)
    chosen, marker = page_of(versions, params.get("Marker"), limit, sort_key)
    shown = [listed(desk, version, version.version if everything else None) for version in chosen]
    return {"Functions": shown, "NextMarker": marker}


async def change_code(desk: Desk, context: RequestContext, params: Params) -> Result:
    version = await update_code(desk, context, params)
    return configuration(desk, version, None if version.version == LATEST else version.version)


async def change_configuration(desk: Desk, context: RequestContext, params: Params) -> Result:
    return configuration(desk, await update_configuration(desk, context, params), None)


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    await delete_function(desk, context, params)
    return {"StatusCode": 204}


def sort_key(version: FunctionVersion) -> str:
    """Sorts by name, then `$LATEST`, then numbers as numbers."""
    return f"{version.name}\0{0 if version.version == LATEST else int(version.version):020d}"


async def _find(desk: Desk, context: RequestContext, params: Params) -> tuple[Reference, Function, FunctionVersion]:
    reference = read_reference(context, params["FunctionName"], params.get("Qualifier"))

    def read(connection: Connection) -> tuple[Function, FunctionVersion]:
        function = read_function(connection, context.scope, reference.name)
        if function is None:
            raise function_not_found(context.scope, reference.name, reference.qualifier)
        return function, existing_version(connection, function, reference.qualifier)

    return reference, *(await desk.store.read(read))


OPERATIONS = {
    "CreateFunction": create,
    "GetFunction": get,
    "GetFunctionConfiguration": get_configuration,
    "ListFunctions": list_functions,
    "UpdateFunctionCode": change_code,
    "UpdateFunctionConfiguration": change_configuration,
    "DeleteFunction": delete,
}
