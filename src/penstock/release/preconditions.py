"""What must hold before a deployment may start. Pure.

Rule: CodeDeploy accepts the request and fails the deployment, so that the refusal is on record; so do we, and nothing
is touched. Rules of a two-version alias: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from penstock.registry.model import LATEST, Alias, FunctionVersion, State
from penstock.release.model import Deployment, ErrorCode
from penstock.release.routes import described

Fault = tuple[ErrorCode, str]
APPSPEC = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is missing "
    "or has an invalid configuration. "
)
MISMATCH = "The Lambda function alias version does not match the current version in AppSpec file. "


def fault_at_start(
    deployment: Deployment, alias: Alias | None, target: FunctionVersion | None, current: FunctionVersion | None
) -> Fault | None:
    """Why the deployment cannot start, with CodeDeploy's error code; None when it can."""
    words = _alias_fault(deployment, alias) or _version_fault(deployment, target)
    if words is None and len(deployment.plan.steps()) > 1 and deployment.target.current is not None:
        words = _pair_fault(target, current)
    if words is None:
        return None
    code = ErrorCode.LAMBDA_FUNCTION if target is None else ErrorCode.LAMBDA_CONFIGURATION
    return code, APPSPEC + words


def _alias_fault(deployment: Deployment, alias: Alias | None) -> str | None:
    where, named = deployment.target, f"The alias {deployment.target_id}"
    if alias is None:
        if where.current is None:
            return None
        return f"{named} does not exist. Create it with version {where.current} first, or leave CurrentVersion out."
    if where.current is None:
        return f"{named} exists and points at {described(alias)}: the AppSpec must name it as CurrentVersion."
    if alias.weights:
        return (
            f"{named} is already shared by two versions ({described(alias)}), perhaps since a stopped deployment. "
            "Point it at one version and deploy again."
        )
    if alias.version != where.current:
        return f"{MISMATCH}{named} points at {described(alias)}, the AppSpec says CurrentVersion {where.current}."
    return None


def _version_fault(deployment: Deployment, target: FunctionVersion | None) -> str | None:
    where = deployment.target
    if where.current == where.version:
        return f"CurrentVersion and TargetVersion are the same ({where.version}): there is no traffic to shift."
    if target is None or target.version == LATEST:
        return f"The function {where.function} has no published version {where.version}. Publish it first."
    if target.state is not State.ACTIVE:
        return (
            f"Version {where.version} of {where.function} is in state {target.state}"
            f"{f' ({target.state_reason})' if target.state_reason else ''}; wait until it is Active."
        )
    return None


def _pair_fault(target: FunctionVersion | None, current: FunctionVersion | None) -> str | None:
    if target is None or current is None:
        return None if current is not None else "The current version does not exist any more."
    pair = f"versions {current.version} and {target.version}"
    if target.role != current.role:
        return f"An alias cannot be shared by {pair}: their execution roles differ ({current.role}, {target.role})."
    if target.dead_letter_target != current.dead_letter_target:
        return (
            f"An alias cannot be shared by {pair}: their dead-letter queues differ "
            f"({current.dead_letter_target or 'none'}, {target.dead_letter_target or 'none'})."
        )
    return None
