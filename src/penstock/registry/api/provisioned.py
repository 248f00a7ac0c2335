"""Wire operations on provisioned concurrency. Rule: the store says what was asked, execution what there is."""

from datetime import UTC, datetime

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.api.shapes import page_of
from penstock.registry.desk import Desk
from penstock.registry.model import ProvisionedConfig, Warmth
from penstock.registry.provision import (
    delete_provisioned_config,
    get_provisioned,
    list_provisioned,
    put_provisioned,
)

PAGE_LIMIT = 50


async def put(desk: Desk, context: RequestContext, params: Params) -> Result:
    config = await put_provisioned(desk, context, params)
    # AWS answers with IN_PROGRESS whatever stands ready already: callers poll for READY.
    return shape(config, desk.thermometer.warmth(config)) | {"Status": "IN_PROGRESS", "StatusReason": None}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    config = await get_provisioned(desk, context, params)
    return shape(config, desk.thermometer.warmth(config))


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    await delete_provisioned_config(desk, context, params)
    return {}


async def list_all(desk: Desk, context: RequestContext, params: Params) -> Result:
    found = await list_provisioned(desk, context, params)
    limit = params.get("MaxItems") or PAGE_LIMIT
    chosen, marker = page_of(found, params.get("Marker"), limit, lambda one: str(one.qualifier))
    shown = [{"FunctionArn": one.arn, **shape(one, desk.thermometer.warmth(one))} for one in chosen]
    return {"ProvisionedConcurrencyConfigs": shown, "NextMarker": marker}


def shape(config: ProvisionedConfig, warmth: Warmth) -> dict[str, object]:
    """A configuration and how far it is."""
    return {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AllocatedProvisionedConcurrentExecutions": warmth.allocated,
        "AvailableProvisionedConcurrentExecutions": warmth.available,
        "Status": status(config, warmth),
        "StatusReason": warmth.failure if status(config, warmth) == "FAILED" else None,
        "LastModified": datetime.fromtimestamp(config.modified_at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }


def status(config: ProvisionedConfig, warmth: Warmth) -> str:
    """READY when everything asked for stands ready; FAILED when the rest cannot be made; else IN_PROGRESS."""
    if warmth.available >= config.requested:
        return "READY"
    return "FAILED" if warmth.failure else "IN_PROGRESS"


OPERATIONS = {
    "PutProvisionedConcurrencyConfig": put,
    "GetProvisionedConcurrencyConfig": get,
    "DeleteProvisionedConcurrencyConfig": delete,
    "ListProvisionedConcurrencyConfigs": list_all,
}
