"""CreateDeployment: from a request to a deployment on record, and its marker. Rule: whatever can be known to be wrong
without looking at the function is refused here; what depends on the function fails the deployment (preconditions.py).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.core.context import Scope
from penstock.core.dice import Dice, new_uuid
from penstock.core.errors import ApiError
from penstock.release.appspec import AppSpec, read_appspec
from penstock.release.appspec_text import AppSpecError
from penstock.release.catalog.configs import plan_named
from penstock.release.catalog.model import Group
from penstock.release.catalog.rules import alarm_rules, rollback_rules
from penstock.release.commit import new_deployment_id
from penstock.release.markers.recorder import Markers
from penstock.release.model import (
    AlarmRules,
    Deployment,
    DeploymentStatus,
    EventName,
    LifecycleEvent,
    Revision,
    RollbackRules,
)
from penstock.release.records import (
    insert_deployment,
    read_active_of_alias,
    read_active_of_group,
    read_last_of_group,
)
from penstock.release.requests import wanted_group
from penstock.store.database import Connection

REVISION_MEMBERS = {"AppSpecContent": "appSpecContent", "String": "string"}
LONGEST_DESCRIPTION = 256
FOREIGN = {
    "ignoreApplicationStopFailures": "InvalidIgnoreApplicationStopFailuresValueException",
    "updateOutdatedInstancesOnly": "InvalidUpdateOutdatedInstancesOnlyValueException",
    "targetInstances": "InvalidTargetInstancesException",
    "ec2DeploymentOptions": "InvalidInputException",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A checked CreateDeployment request."""

    params: Mapping[str, Any]
    revision: Revision
    spec: AppSpec
    alarms: AlarmRules | None
    rollback: RollbackRules | None


def read_order(params: Mapping[str, Any]) -> Order:
    """Check everything that needs no store. Raises `ApiError`."""
    for name, code in FOREIGN.items():
        if params.get(name):
            raise ApiError(code, f"{name} is not for deployments of the Lambda compute platform.")
    if len(params.get("description") or "") > LONGEST_DESCRIPTION:
        raise ApiError(
            "DescriptionTooLongException", f"The description is longer than {LONGEST_DESCRIPTION} characters."
        )
    revision = _revision(params.get("revision"))
    try:
        spec = read_appspec(revision.content)
    except AppSpecError as error:
        raise ApiError("InvalidRevisionException", f"The AppSpec is not valid: {error}.") from None
    alarms = alarm_rules(params.get("overrideAlarmConfiguration"))
    return Order(params, revision, spec, alarms, rollback_rules(params.get("autoRollbackConfiguration")))


def create_deployment(
    connection: Connection, scope: Scope, order: Order, markers: Markers, by: str, now: float
) -> Deployment:
    """Put the deployment and its marker on record. Raises `ApiError`."""
    params = order.params
    group = wanted_group(connection, scope, params["applicationName"], params.get("deploymentGroupName"))
    _refuse_overlap(connection, group, order)
    deployment = _new(connection, group, order, markers.dice, by, now)
    marker = markers.open(connection, deployment)
    deployment = replace(deployment, marker_id=marker.id)
    insert_deployment(connection, deployment)
    return deployment


def _new(connection: Connection, group: Group, order: Order, dice: Dice, by: str, now: float) -> Deployment:
    config = order.params.get("deploymentConfigName") or group.config
    last = read_last_of_group(connection, group.scope, group.id, DeploymentStatus.SUCCEEDED)
    return Deployment(
        scope=group.scope,
        id=new_deployment_id(dice),
        application=group.application,
        group=group.name,
        group_id=group.id,
        config=config,
        target=order.spec.target,
        plan=plan_named(connection, group.scope, config),
        appspec=order.revision,
        created_at=now,
        updated_at=now,
        by=by,
        marker_id=new_uuid(dice),
        description=order.params.get("description"),
        events=tuple(
            LifecycleEvent(name, hook=order.spec.hooks.get(name), execution_id=new_uuid(dice)) for name in EventName
        ),
        alarms=order.alarms or group.alarms or AlarmRules(),
        alarms_overridden=order.alarms is not None,
        rollback=order.rollback or group.rollback or RollbackRules(),
        previous_appspec=last.appspec if last else None,
    )


def _refuse_overlap(connection: Connection, group: Group, order: Order) -> None:
    active = read_active_of_group(connection, group.scope, group.id)
    if active is not None:
        raise ApiError(
            "DeploymentLimitExceededException",
            f"The Deployment Group '{group.name}' already has an active Deployment '{active.id}'",
        )
    target = order.spec.target
    other = read_active_of_alias(connection, group.scope, target.function, target.alias)
    if other is not None:
        raise ApiError(
            "DeploymentLimitExceededException",
            f"The alias {other.target_id} is already being moved by the active Deployment '{other.id}' of Deployment "
            f"Group '{other.group}'. Two deployments cannot shift the same traffic.",
        )


def _revision(member: Mapping[str, Any] | None) -> Revision:
    if not member:
        raise ApiError("RevisionRequiredException", "The revision is required: pass it as appSpecContent.")
    kind = member.get("revisionType") or ("AppSpecContent" if member.get("appSpecContent") else "")
    if kind not in REVISION_MEMBERS:
        raise ApiError(
            "InvalidRevisionException",
            f"The revisionType {kind or '(none)'} cannot be deployed here yet: Penstock reads the AppSpec from the "
            "request itself. Pass revisionType=AppSpecContent with appSpecContent.content.",
        )
    inner = member.get(REVISION_MEMBERS[kind]) or {}
    content, sha256 = inner.get("content"), inner.get("sha256")
    if not content:
        raise ApiError("InvalidRevisionException", f"A revision of type {kind} needs {REVISION_MEMBERS[kind]}.content.")
    actual = hashlib.sha256(content.encode()).hexdigest()
    if sha256 and sha256.lower() != actual:
        raise ApiError(
            "InvalidRevisionException",
            f"The content's SHA-256 is {actual}, not {sha256} as the revision says: it was changed on the way.",
        )
    return Revision(kind, content, actual)
