"""Making and changing deployment groups. Rule: everything is checked before anything is written."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.catalog.configs import plan_named
from penstock.release.catalog.model import Group
from penstock.release.catalog.records import move_tags, read_group, write_group
from penstock.release.catalog.rules import alarm_rules, check_foreign, check_role, check_style, rollback_rules
from penstock.release.plan import ALL_AT_ONCE
from penstock.release.records import rename_group
from penstock.release.requests import wanted_application, wanted_group
from penstock.store.database import Connection


def create_group(connection: Connection, scope: Scope, params: Mapping[str, Any], group_id: str) -> Group:
    """CreateDeploymentGroup. Raises `ApiError`."""
    application = wanted_application(connection, scope, params["applicationName"])
    group = Group(
        scope=scope,
        application=application.name,
        name=params["deploymentGroupName"],
        id=group_id,
        service_role=params["serviceRoleArn"],
        config=params.get("deploymentConfigName") or ALL_AT_ONCE,
        alarms=alarm_rules(params.get("alarmConfiguration")),
        rollback=rollback_rules(params.get("autoRollbackConfiguration")),
        outdated_instances_strategy=params.get("outdatedInstancesStrategy"),
    )
    check_style(params.get("deploymentStyle"))
    check_role(group.service_role)
    check_foreign(params)
    plan_named(connection, scope, group.config)
    _refuse_existing(connection, scope, group)
    write_group(connection, group)
    return group


def update_group(connection: Connection, scope: Scope, params: Mapping[str, Any]) -> Group:
    """UpdateDeploymentGroup: absent members stay as they are. Raises `ApiError`."""
    before = wanted_group(connection, scope, params["applicationName"], params["currentDeploymentGroupName"])
    alarms = alarm_rules(params.get("alarmConfiguration"))
    rollback = rollback_rules(params.get("autoRollbackConfiguration"))
    after = replace(
        before,
        name=params.get("newDeploymentGroupName") or before.name,
        config=params.get("deploymentConfigName") or before.config,
        service_role=params.get("serviceRoleArn") or before.service_role,
        alarms=before.alarms if alarms is None else alarms,
        rollback=before.rollback if rollback is None else rollback,
        outdated_instances_strategy=params.get("outdatedInstancesStrategy") or before.outdated_instances_strategy,
    )
    if params.get("deploymentStyle") is not None:
        check_style(params["deploymentStyle"])
    check_role(after.service_role)
    check_foreign(params)
    plan_named(connection, scope, after.config)
    if after.name != before.name:
        _refuse_existing(connection, scope, after)
        rename_group(connection, scope, after.id, after.name)
        move_tags(connection, scope, before.arn, after.arn)
    write_group(connection, after)
    return after


def _refuse_existing(connection: Connection, scope: Scope, group: Group) -> None:
    if read_group(connection, scope, group.application, group.name) is not None:
        raise ApiError(
            "DeploymentGroupAlreadyExistsException",
            f"The application {group.application} already has a deployment group {group.name}.",
        )
