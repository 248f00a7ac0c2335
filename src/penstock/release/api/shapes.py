"""How this room's values look on CodeDeploy's wire. Rule: pure; absent is None, which the gateway leaves out."""

from collections.abc import Mapping
from typing import Any

from penstock.release.catalog.model import LAMBDA, Application, Config, Group
from penstock.release.catalog.rules import STYLE
from penstock.release.model import (
    AlarmRules,
    Deployment,
    DeploymentStatus,
    EventStatus,
    LifecycleEvent,
    Revision,
    RollbackInfo,
    RollbackRules,
)
from penstock.release.plan import Routing, TrafficPlan

Shape = dict[str, Any]
OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")


def application_shape(application: Application) -> Shape:
    """`ApplicationInfo`."""
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": LAMBDA,
    }


def group_shape(group: Group, succeeded: Deployment | None, attempted: Deployment | None) -> Shape:
    """`DeploymentGroupInfo`."""
    return {
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "deploymentConfigName": group.config,
        "serviceRoleArn": group.service_role,
        "ec2TagFilters": [],
        "onPremisesInstanceTagFilters": [],
        "autoScalingGroups": [],
        "triggerConfigurations": [],
        "targetRevision": revision_shape(succeeded.appspec) if succeeded else None,
        "alarmConfiguration": alarm_shape(group.alarms),
        "autoRollbackConfiguration": rollback_shape(group.rollback),
        "deploymentStyle": dict(STYLE),
        "outdatedInstancesStrategy": group.outdated_instances_strategy or "UPDATE",
        "lastSuccessfulDeployment": _last(succeeded),
        "lastAttemptedDeployment": _last(attempted),
        "computePlatform": LAMBDA,
        "terminationHookEnabled": False,
    }


def config_shape(config: Config) -> Shape:
    """`DeploymentConfigInfo`."""
    return {
        "deploymentConfigId": config.id,
        "deploymentConfigName": config.name,
        "createTime": config.created_at,
        "computePlatform": LAMBDA,
        "trafficRoutingConfig": plan_shape(config.plan),
    }


def plan_shape(plan: TrafficPlan) -> Shape:
    """`TrafficRoutingConfig`."""
    canary = {"canaryPercentage": plan.percent, "canaryInterval": plan.interval_min}
    linear = {"linearPercentage": plan.percent, "linearInterval": plan.interval_min}
    return {
        "type": plan.routing.value,
        "timeBasedCanary": canary if plan.routing is Routing.CANARY else None,
        "timeBasedLinear": linear if plan.routing is Routing.LINEAR else None,
    }


def deployment_shape(deployment: Deployment) -> Shape:
    """`DeploymentInfo`."""
    error = deployment.error
    return {
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.group,
        "deploymentConfigName": deployment.config,
        "deploymentId": deployment.id,
        "previousRevision": revision_shape(deployment.previous_appspec) if deployment.previous_appspec else None,
        "revision": revision_shape(deployment.appspec),
        "status": deployment.status.value,
        "errorInformation": {"code": error.code.value, "message": error.message} if error else None,
        "createTime": deployment.created_at,
        "startTime": deployment.started_at,
        "completeTime": deployment.completed_at,
        "deploymentOverview": {name: int(name == target_status(deployment)) for name in OVERVIEW},
        "description": deployment.description,
        "creator": deployment.creator.value,
        "ignoreApplicationStopFailures": False,
        "autoRollbackConfiguration": rollback_shape(deployment.rollback),
        "updateOutdatedInstancesOnly": False,
        "rollbackInfo": _rollback_info(deployment.rollback_info),
        "deploymentStyle": dict(STYLE),
        "instanceTerminationWaitTimeStarted": False,
        "deploymentStatusMessages": [],
        "computePlatform": LAMBDA,
        "overrideAlarmConfiguration": alarm_shape(deployment.alarms) if deployment.alarms_overridden else None,
    }


def revision_shape(revision: Revision) -> Shape:
    """`RevisionLocation`. GetDeployment never shows the content of an AppSpecContent, only its hash."""
    if revision.kind == "String":
        return {"revisionType": "String", "string": {"content": revision.content, "sha256": revision.sha256}}
    return {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": revision.sha256}}


def target_shape(deployment: Deployment) -> Shape:
    """`DeploymentTarget`."""
    target = deployment.target
    info = {
        "functionName": target.function,
        "functionAlias": target.alias,
        "currentVersion": target.current,
        "targetVersion": target.version,
        "targetVersionWeight": deployment.percent / 100,
    }
    return {
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": {
            "deploymentId": deployment.id,
            "targetId": deployment.target_id,
            "targetArn": deployment.target_arn,
            "status": target_status(deployment),
            "lastUpdatedAt": deployment.updated_at,
            "lifecycleEvents": [_event(event) for event in deployment.events],
            "lambdaFunctionInfo": info,
        },
    }


def target_status(deployment: Deployment) -> str:
    """The status of a deployment's only target."""
    if deployment.status in (DeploymentStatus.FAILED, DeploymentStatus.STOPPED):
        return "Failed" if deployment.started_at is not None else "Skipped"
    return "Pending" if deployment.status in (DeploymentStatus.CREATED, DeploymentStatus.QUEUED) else deployment.status


def alarm_shape(rules: AlarmRules | None) -> Shape | None:
    """`AlarmConfiguration`."""
    if rules is None:
        return None
    return {
        "enabled": rules.enabled,
        "ignorePollAlarmFailure": rules.ignore_unreadable,
        "alarms": [{"name": name} for name in rules.names],
    }


def rollback_shape(rules: RollbackRules | None) -> Shape | None:
    """`AutoRollbackConfiguration`."""
    return {"enabled": rules.enabled, "events": [event.value for event in rules.events]} if rules else None


def _event(event: LifecycleEvent) -> Shape:
    failed = event.status is EventStatus.FAILED
    return {
        "lifecycleEventName": event.name.value,
        "startTime": event.started_at,
        "endTime": event.ended_at,
        "status": event.status.value,
        "diagnostics": {"errorCode": "UnknownError", "scriptName": event.hook or "", "message": event.message}
        if failed
        else None,
    }


def _last(deployment: Deployment | None) -> Shape | None:
    if deployment is None:
        return None
    return {
        "deploymentId": deployment.id,
        "status": deployment.status.value,
        "createTime": deployment.created_at,
        "endTime": deployment.completed_at,
    }


def _rollback_info(info: RollbackInfo | None) -> Mapping[str, Any] | None:
    if info is None:
        return None
    return {
        "rollbackDeploymentId": info.deployment_id,
        "rollbackTriggeringDeploymentId": info.triggering_deployment_id,
        "rollbackMessage": info.message,
    }
