"""Wire operations on resource policies. Rule: statements travel as JSON text, as in AWS."""

import json

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params, Result
from penstock.registry.desk import Desk
from penstock.registry.permit import add_permission, document, get_policy, remove_permission


async def add(desk: Desk, context: RequestContext, params: Params) -> Result:
    statement = await add_permission(desk, context, params)
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


async def remove(desk: Desk, context: RequestContext, params: Params) -> Result:
    await remove_permission(desk, context, params)
    return {}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    policy = await get_policy(desk, context, params)
    return {"Policy": document(policy), "RevisionId": policy.revision_id}


OPERATIONS = {"AddPermission": add, "RemovePermission": remove, "GetPolicy": get}
