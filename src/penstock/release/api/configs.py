"""CodeDeploy's operations on deployment configurations."""

import hashlib
import uuid

from penstock.core.context import RequestContext, Scope
from penstock.core.dice import new_uuid
from penstock.core.errors import ApiError
from penstock.gateway.contract import Params, Result
from penstock.release.api.paging import paged
from penstock.release.api.shapes import config_shape
from penstock.release.catalog.configs import new_plan, plan_named
from penstock.release.catalog.model import Config
from penstock.release.catalog.records import (
    delete_config,
    insert_config,
    read_config,
    read_configs,
    read_groups_using,
    write_tags,
)
from penstock.release.desk import Desk
from penstock.release.plan import PREDEFINED
from penstock.release.records import uses_config
from penstock.store.database import Connection


async def create(desk: Desk, context: RequestContext, params: Params) -> Result:
    plan = new_plan(params)
    config = Config(context.scope, params["deploymentConfigName"], new_uuid(desk.dice), desk.clock.now(), plan)

    def work(connection: Connection) -> None:
        if read_config(connection, context.scope, config.name) is not None:
            raise ApiError(
                "DeploymentConfigAlreadyExistsException", f"The deployment configuration {config.name} already exists."
            )
        insert_config(connection, config)

    await desk.store.write(work)
    return {"deploymentConfigId": config.id}


async def get(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, name = context.scope, params["deploymentConfigName"]

    def work(connection: Connection) -> Config:
        plan = plan_named(connection, scope, name)
        return read_config(connection, scope, name) or Config(scope, name, _predefined_id(name), 0.0, plan)

    return {"deploymentConfigInfo": config_shape(await desk.store.read(work))}


async def list_configs(desk: Desk, context: RequestContext, params: Params) -> Result:
    own = await desk.store.read(lambda c: read_configs(c, context.scope))
    names = sorted([*PREDEFINED, *(config.name for config in own)])
    chosen, token = paged(names, params.get("nextToken"), str)
    return {"deploymentConfigsList": chosen, "nextToken": token}


async def delete(desk: Desk, context: RequestContext, params: Params) -> Result:
    scope, name = context.scope, params["deploymentConfigName"]
    if name in PREDEFINED:
        raise ApiError("InvalidOperationException", f"The predefined configuration {name} cannot be deleted.")

    def work(connection: Connection) -> None:
        _refuse_used(connection, scope, name)
        config = read_config(connection, scope, name)
        if config is not None:
            write_tags(connection, scope, config.arn, {})
            delete_config(connection, scope, name)

    await desk.store.write(work)
    return {}


def _refuse_used(connection: Connection, scope: Scope, name: str) -> None:
    groups = [f"{group.application}/{group.name}" for group in read_groups_using(connection, scope, name)]
    if groups or uses_config(connection, scope, name):
        users = ", ".join(groups) or "a deployment under way"
        raise ApiError("DeploymentConfigInUseException", f"The configuration {name} is still used by {users}.")


def _predefined_id(name: str) -> str:
    """Always the same for one predefined configuration."""
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


OPERATIONS = {
    "CreateDeploymentConfig": create,
    "GetDeploymentConfig": get,
    "ListDeploymentConfigs": list_configs,
    "DeleteDeploymentConfig": delete,
}
