"""Wire operations on layers. Rule: translate, call the use case, translate back."""

import itertools
import json
from typing import Any

from penstock.core.clock import iso
from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.api.shapes import endpoint, page_of
from penstock.registry.desk import Desk
from penstock.registry.layers.model import LayerVersion
from penstock.registry.layers.permit import add_layer_permission, document, get_layer_policy, remove_layer_permission
from penstock.registry.layers.publish import delete_layer, publish_layer
from penstock.registry.layers.records import read_layer_version, read_layer_versions
from penstock.registry.layers.reference import LayerReference, read_layer_name, read_number, read_version_arn
from penstock.registry.refusals import not_found

PAGE_LIMIT = 50


async def publish(desk: Desk, context: RequestContext, params: Params) -> Result:
    return _whole(desk, context, await publish_layer(desk, context, params))


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    number = read_number(params["VersionNumber"])
    return await _found(desk, context, LayerReference(read_layer_name(context, params["LayerName"]), number))


async def get_by_arn(desk: Desk, context: RequestContext, params: Params) -> Result:
    return await _found(desk, context, read_version_arn(context, params["Arn"]))


async def list_layers(desk: Desk, context: RequestContext, params: Params) -> Result:
    versions = await desk.store.read(lambda connection: read_layer_versions(connection, context.scope))
    fitting = [version for version in versions if _fits(version, params)]
    newest = [next(group) for _, group in itertools.groupby(fitting, lambda version: version.name)]
    chosen, marker = page_of(newest, params.get("Marker"), _limit(params), lambda version: version.name)
    layers = [
        {"LayerName": version.name, "LayerArn": version.layer_arn, "LatestMatchingVersion": _listed(version)}
        for version in chosen
    ]
    return {"Layers": layers, "NextMarker": marker}


async def list_versions(desk: Desk, context: RequestContext, params: Params) -> Result:
    name = read_layer_name(context, params["LayerName"])
    versions = await desk.store.read(lambda connection: read_layer_versions(connection, context.scope, name))
    fitting = [version for version in versions if _fits(version, params)]
    chosen, marker = page_of(fitting, params.get("Marker"), _limit(params), newest_first)
    return {"LayerVersions": [_listed(version) for version in chosen], "NextMarker": marker}


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    await delete_layer(desk, context, params)
    return {}


async def add_permission(desk: Desk, context: RequestContext, params: Params) -> Result:
    statement, version = await add_layer_permission(desk, context, params)
    return {"Statement": json.dumps(statement, separators=(",", ":")), "RevisionId": version.policy_revision_id}


async def remove_permission(desk: Desk, context: RequestContext, params: Params) -> Result:
    await remove_layer_permission(desk, context, params)
    return {}


async def get_policy(desk: Desk, context: RequestContext, params: Params) -> Result:
    version = await get_layer_policy(desk, context, params)
    return {"Policy": document(version), "RevisionId": version.policy_revision_id}


def newest_first(version: LayerVersion) -> str:
    """Sorts by number, the highest first."""
    return f"{10**19 - version.number:020d}"


def _limit(params: Params) -> int:
    return min(params.get("MaxItems") or PAGE_LIMIT, PAGE_LIMIT)


def _fits(version: LayerVersion, params: Params) -> bool:
    return version.fits(params.get("CompatibleRuntime"), params.get("CompatibleArchitecture"))


async def _found(desk: Desk, context: RequestContext, reference: LayerReference) -> Result:
    version = await desk.store.read(
        lambda connection: read_layer_version(connection, context.scope, reference.name, reference.number or 0)
    )
    if version is None:
        raise not_found("The resource you requested does not exist.")
    return _whole(desk, context, version)


def _whole(desk: Desk, context: RequestContext, version: LayerVersion) -> dict[str, Any]:
    content = {
        "Location": desk.links.make(endpoint(context), version.code_sha256),
        "CodeSha256": version.code_sha256,
        "CodeSize": version.code_size,
    }
    return _listed(version) | {"LayerArn": version.layer_arn, "Content": content}


def _listed(version: LayerVersion) -> dict[str, Any]:
    return {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": iso(version.created_at),
        "CompatibleRuntimes": list(version.runtimes) or None,
        "CompatibleArchitectures": list(version.architectures) or None,
        "LicenseInfo": version.license_info,
    }


OPERATIONS = {
    "PublishLayerVersion": publish,
    "GetLayerVersion": get,
    "GetLayerVersionByArn": get_by_arn,
    "ListLayers": list_layers,
    "ListLayerVersions": list_versions,
    "DeleteLayerVersion": delete,
    "AddLayerVersionPermission": add_permission,
    "RemoveLayerVersionPermission": remove_permission,
    "GetLayerVersionPolicy": get_policy,
}
