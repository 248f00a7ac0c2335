"""What a deployment group may say, read from the wire's members. Pure; raises `ApiError` with CodeDeploy's codes.

Rule: a setting that Penstock would not act on is refused, not stored and forgotten.
"""

from collections.abc import Mapping
from typing import Any

from penstock.core.arns import parse_arn
from penstock.core.errors import ApiError
from penstock.release.catalog.model import MOST_ALARMS
from penstock.release.model import AlarmRules, RollbackEvent, RollbackRules

LONGEST_ALARM_NAME = 255
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
FOREIGN = {
    "ec2TagFilters": "InvalidEC2TagException",
    "onPremisesInstanceTagFilters": "InvalidTagException",
    "autoScalingGroups": "InvalidAutoScalingGroupException",
    "blueGreenDeploymentConfiguration": "InvalidBlueGreenDeploymentConfigurationException",
    "loadBalancerInfo": "InvalidLoadBalancerInfoException",
    "ec2TagSet": "InvalidEC2TagException",
    "ecsServices": "InvalidECSServiceException",
    "onPremisesTagSet": "InvalidTagException",
    "ec2DeploymentOptions": "InvalidInputException",
}


def alarm_rules(member: Mapping[str, Any] | None) -> AlarmRules | None:
    """`alarmConfiguration`; None when it was not given."""
    if member is None:
        return None
    names = tuple(alarm.get("name") or "" for alarm in member.get("alarms") or ())
    enabled = bool(member.get("enabled"))
    if len(names) > MOST_ALARMS:
        raise ApiError("AlarmsLimitExceededException", f"At most {MOST_ALARMS} alarms are allowed, not {len(names)}.")
    fault = _alarm_fault(names, enabled=enabled)
    if fault:
        raise ApiError("InvalidAlarmConfigException", fault)
    return AlarmRules(names, enabled, bool(member.get("ignorePollAlarmFailure")))


def _alarm_fault(names: tuple[str, ...], *, enabled: bool) -> str | None:
    if enabled and not names:
        return "The alarm configuration is enabled, but its list of alarms is empty."
    if any(not 0 < len(name) <= LONGEST_ALARM_NAME for name in names):
        return f"An alarm needs a name of 1 to {LONGEST_ALARM_NAME} characters."
    doubled = sorted({name for name in names if names.count(name) > 1})
    return f"The alarm {doubled[0]} is named twice." if doubled else None


def rollback_rules(member: Mapping[str, Any] | None) -> RollbackRules | None:
    """`autoRollbackConfiguration`; None when it was not given."""
    if member is None:
        return None
    enabled, given = bool(member.get("enabled")), member.get("events") or ()
    known = {event.value for event in RollbackEvent}
    unknown = [event for event in given if event not in known]
    if unknown:
        raise _rollback_fault(f"{unknown[0]} is not an event; use {', '.join(sorted(known))}.")
    if enabled and not given:
        raise _rollback_fault("Automatic rollback is enabled, but no events are listed that would cause it.")
    return RollbackRules(enabled, tuple(RollbackEvent(event) for event in dict.fromkeys(given)))


def _rollback_fault(words: str) -> ApiError:
    return ApiError("InvalidAutoRollbackConfigException", words)


def check_style(style: Mapping[str, Any] | None) -> None:
    """A Lambda group is blue/green with traffic control, and must say so: CodeDeploy's default is another."""
    if style is None or {name: style.get(name) for name in STYLE} != STYLE:
        raise ApiError(
            "InvalidDeploymentStyleException",
            "For Lambda deployment group, deployment type can only be set to BLUE_GREEN and deployment option can only "
            "be set to WITH_TRAFFIC_CONTROL. Pass deploymentStyle with both.",
        )


def check_role(arn: str) -> None:
    """The service role is not used yet (Penstock acts by itself), but a wrong ARN would fail on AWS."""
    role = parse_arn(arn)
    if role is None or role.service != "iam" or not role.resource.startswith("role/"):
        raise ApiError("InvalidRoleException", f"The service role {arn!r} is not the ARN of an IAM role.")


def check_foreign(params: Mapping[str, Any]) -> None:
    """Refuse what belongs to EC2, on-premises or ECS deployments, and notifications that nobody would get."""
    for name, code in FOREIGN.items():
        if params.get(name):
            raise ApiError(code, f"{name} is not for deployment groups of the Lambda compute platform.")
    if params.get("triggerConfigurations"):
        raise ApiError(
            "InvalidTriggerConfigException",
            "Penstock does not send deployment notifications yet, so it takes no triggerConfigurations. Leave them "
            "out; `penstock timeline` shows what happened.",
        )
    if params.get("terminationHookEnabled"):
        raise ApiError("InvalidInputException", "terminationHookEnabled is for EC2 Auto Scaling groups only.")
