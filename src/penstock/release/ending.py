"""How a deployment ends before its time: failure, alarm, stop, someone else's hand. Pure.

Rule: every ending says why in words, and a rollback is taken only to a place the deployment itself came from.
CodeDeploy's own sentences come first where tools may look for them.
"""

from dataclasses import replace

from penstock.registry.model import Alias
from penstock.release.model import (
    Deployment,
    DeploymentStatus,
    ErrorCode,
    ErrorInformation,
    EventStatus,
    LifecycleEvent,
    RollbackEvent,
    RollbackInfo,
    Shift,
    StopRequest,
)
from penstock.release.outcome import Decision
from penstock.release.preconditions import Fault
from penstock.release.routes import described, expected_route
from penstock.release.states import moved_deployment, moved_event

ALARMED = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected "
    "deployments have been stopped. "
)
HOOKED = "The deployment failed because one or more of the lifecycle event validation functions failed. "
TIMED_OUT = "The deployment timed out while waiting for a status callback. "


def failed(
    deployment: Deployment, fault: Fault, now: float, cause: RollbackEvent | None, *, way_back: bool = True
) -> Decision:
    """Failed; rolled back when `cause` is among the deployment's rollback events (None: never).

    `way_back` in all endings: the version to go back to still exists.
    """
    wanted = cause is not None and deployment.rollback.covers(cause)
    return _ended(deployment, DeploymentStatus.FAILED, fault, now, rollback=wanted, way_back=way_back)


def hook_failure(
    deployment: Deployment, event: LifecycleEvent, code: ErrorCode, why: str, now: float, *, way_back: bool
) -> Decision:
    """A lifecycle hook did not say Succeeded."""
    words = f"{TIMED_OUT if code is ErrorCode.HOOK_TIMED_OUT else HOOKED}{event.name}: {why}."
    return failed(deployment, (code, words), now, RollbackEvent.FAILURE, way_back=way_back)


def alias_moved(deployment: Deployment, alias: Alias | None, now: float) -> Decision:
    """Someone else moved the alias: fail, write no weights, leave it where they put it."""
    route = expected_route(deployment)
    expected = "no alias yet" if route is None else _route_words(deployment)
    words = (
        f"Someone else changed the alias {deployment.target_id} during the deployment: it points at "
        f"{described(alias)}, the deployment had left it at {expected}. Penstock did not touch it again."
    )
    decision = failed(deployment, (ErrorCode.LAMBDA_CONFIGURATION, words), now, None)
    info = RollbackInfo(message="Not rolled back: the alias was moved by someone else during the deployment.")
    return replace(decision, deployment=replace(decision.deployment, rollback_info=info))


def alarm_stop(
    deployment: Deployment,
    active: tuple[str, ...],
    unreadable: tuple[str, ...],
    now: float,
    *,
    at_start: bool,
    way_back: bool,
) -> Decision:
    """An alarm is in ALARM, or cannot be read and may not be ignored."""
    wanted = deployment.rollback.covers(RollbackEvent.ALARM)
    if active:
        words = ALARMED + "Activated alarms: " + " ".join(f"<{name}>" for name in active)
        if at_start:
            words += (
                ". They were in ALARM already when the deployment started, so no traffic was shifted. Wait until they "
                "are OK, or deploy with overrideAlarmConfiguration."
            )
        fault = (ErrorCode.ALARM_ACTIVE, words)
        return _ended(deployment, DeploymentStatus.STOPPED, fault, now, rollback=wanted, way_back=way_back)
    words = (
        "The deployment was stopped because the state of these alarms could not be read: "
        + " ".join(f"<{name}>" for name in unreadable)
        + ". An alarm that cannot be read does not count as OK; create it, or set ignorePollAlarmFailure."
    )
    fault = (ErrorCode.ALARM_UNREADABLE, words)
    return _ended(deployment, DeploymentStatus.STOPPED, fault, now, rollback=wanted, way_back=way_back)


def manual_stop(deployment: Deployment, stop: StopRequest, now: float, *, way_back: bool = True) -> Decision:
    """StopDeployment was called."""
    wanted = deployment.rollback.covers(RollbackEvent.REQUEST) if stop.rollback is None else stop.rollback
    words = f"The deployment was stopped by {stop.by}." + (f" Reason: {stop.reason}." if stop.reason else "")
    if not wanted and deployment.percent:
        words += f" It was not rolled back: the alias {deployment.target_id} stays at {_route_words(deployment)}."
    fault = (ErrorCode.MANUAL_STOP, words)
    return _ended(deployment, DeploymentStatus.STOPPED, fault, now, rollback=wanted, way_back=way_back)


def _ended(
    deployment: Deployment, status: DeploymentStatus, fault: Fault, now: float, *, rollback: bool, way_back: bool
) -> Decision:
    code, words = fault
    after = replace(
        moved_deployment(deployment, status),
        events=tuple(_closed(event, now, words) for event in deployment.events),
        error=ErrorInformation(code, words),
        completed_at=now,
        updated_at=now,
        next_shift_at=None,
    )
    if not rollback:
        return Decision(after, reason=words)
    hindrance = _hindrance(deployment, way_back=way_back)
    if hindrance is not None:
        return Decision(replace(after, rollback_info=RollbackInfo(message=hindrance)), reason=words)
    if not deployment.percent:
        return Decision(after, rolls_back=True, reason=words)
    after = replace(after, shifts=(*after.shifts, Shift(now, 0.0)))
    return Decision(after, weights=expected_route(after), rolls_back=True, reason=words)


def _hindrance(deployment: Deployment, *, way_back: bool) -> str | None:
    if deployment.target.current is None:
        return "Not rolled back: this was the first deployment, there is no earlier version to go back to."
    if deployment.started_at is None:
        return "Not rolled back: the deployment had not started."
    if not way_back:
        return f"Not rolled back: version {deployment.target.current} was deleted meanwhile."
    return None


def _closed(event: LifecycleEvent, now: float, words: str) -> LifecycleEvent:
    if event.status is EventStatus.IN_PROGRESS:
        return moved_event(event, EventStatus.FAILED, now, words)
    return moved_event(event, EventStatus.SKIPPED, now) if event.status is EventStatus.PENDING else event


def _route_words(deployment: Deployment) -> str:
    target, percent = deployment.target, deployment.percent
    if percent >= 100:
        return f"version {target.version}"
    return f"version {target.current}" + (f" with {percent:g} % to version {target.version}" if percent else "")
