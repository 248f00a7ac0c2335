"""The deployment tick's one decision: from a deployment, what was seen of the world, and now, to what happens next.

Pure. Rule: the order is always the same: did someone else move the alias, was a stop asked for, is an alarm firing,
and only then the next step. Rollback is a decision like any other; nothing fails open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from penstock.registry.model import Alias, FunctionVersion
from penstock.release.ending import alarm_stop, alias_moved, failed, hook_failure, manual_stop
from penstock.release.model import (
    HOOK_TIMEOUT_S,
    Deployment,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    LifecycleEvent,
    RollbackEvent,
    Shift,
    Weights,
)
from penstock.release.outcome import Decision, InvokeHook
from penstock.release.preconditions import fault_at_start
from penstock.release.routes import expected_route, is_route
from penstock.release.states import moved_deployment, moved_event


@dataclass(frozen=True, slots=True)
class Observation:
    """The world as one snapshot shows it."""

    alias: Alias | None
    target: FunctionVersion | None
    current: FunctionVersion | None
    alarms: Mapping[str, str | None] = field(default_factory=dict)
    """State by name (`OK`, `ALARM`, `INSUFFICIENT_DATA`); None for an alarm that does not exist or cannot be read."""


def decide(deployment: Deployment, seen: Observation, now: float) -> Decision:
    """The next change of an active deployment, or the same deployment and perhaps a hook to invoke."""
    if not deployment.is_active:
        return Decision(deployment)
    if deployment.status is not DeploymentStatus.IN_PROGRESS:
        return _begin(deployment, seen, now)
    if not is_route(seen.alias, expected_route(deployment)):
        return alias_moved(deployment, seen.alias, now)
    return (
        _interruption(deployment, seen, now)
        or _vanished(deployment, seen, now)
        or _progress(deployment, now, way_back=seen.current is not None)
    )


def _vanished(deployment: Deployment, seen: Observation, now: float) -> Decision | None:
    if seen.target is not None:
        return None
    words = f"Version {deployment.target.version} of {deployment.target.function} was deleted during the deployment."
    fault = (ErrorCode.LAMBDA_FUNCTION, words)
    return failed(deployment, fault, now, RollbackEvent.FAILURE, way_back=seen.current is not None)


def _interruption(deployment: Deployment, seen: Observation, now: float, *, at_start: bool = False) -> Decision | None:
    way_back = seen.current is not None
    if deployment.stop is not None:
        return manual_stop(deployment, deployment.stop, now, way_back=way_back)
    states = {name: seen.alarms.get(name) for name in deployment.alarms.watched}
    active = tuple(name for name, state in states.items() if state == "ALARM")
    unreadable = tuple(name for name, state in states.items() if state is None)
    if active or (unreadable and not deployment.alarms.ignore_unreadable):
        return alarm_stop(deployment, active, unreadable, now, at_start=at_start, way_back=way_back)
    return None


def _begin(deployment: Deployment, seen: Observation, now: float) -> Decision:
    if deployment.stop is not None:
        return manual_stop(deployment, deployment.stop, now)
    fault = fault_at_start(deployment, seen.alias, seen.target, seen.current)
    if fault is not None:
        return failed(deployment, fault, now, cause=None)
    started = replace(deployment, started_at=now, alias_revision=seen.alias.revision_id if seen.alias else None)
    interrupted = _interruption(started, seen, now, at_start=True)
    if interrupted is not None:
        return interrupted
    first, *others = started.events
    begun = moved_deployment(replace(started, updated_at=now), DeploymentStatus.IN_PROGRESS)
    events = (moved_event(first, EventStatus.IN_PROGRESS, now), *others)
    return Decision(replace(begun, events=events), reason=f"the deployment starts with {first.name}")


def _progress(deployment: Deployment, now: float, *, way_back: bool) -> Decision:
    event = deployment.current_event
    if event is None:  # cannot be: an active deployment always has one; ending it beats spinning on it
        fault = (ErrorCode.LAMBDA_CONFIGURATION, "No lifecycle event is in progress; this is a fault of Penstock's.")
        return failed(deployment, fault, now, RollbackEvent.FAILURE, way_back=way_back)
    if event.name is EventName.ALLOW_TRAFFIC:
        return _shift(deployment, event, now)
    return _validate(deployment, event, now, way_back=way_back)


def _validate(deployment: Deployment, event: LifecycleEvent, now: float, *, way_back: bool) -> Decision:
    """A hook's report counts before anything else that became known of it: it is what the function wanted to say."""
    if event.hook is None or event.reported is EventStatus.SUCCEEDED:
        return _succeeded(deployment, event, now)
    if (trouble := _trouble(event, now)) is not None:
        code, why = trouble
        return hook_failure(deployment, event, code, why, now, way_back=way_back)
    if event.invoked or (event.retry_at is not None and now < event.retry_at):
        return Decision(deployment)
    return Decision(deployment, effects=(InvokeHook(deployment.id, event.name, event.hook, event.execution_id),))


def _trouble(event: LifecycleEvent, now: float) -> tuple[ErrorCode, str] | None:
    if event.reported is EventStatus.FAILED:
        return ErrorCode.HOOK_FAILED, f"the hook function {event.hook} reported Failed"
    if event.broken is not None:
        return ErrorCode.HOOK_FAILED, event.broken
    if event.started_at is not None and now - event.started_at >= HOOK_TIMEOUT_S:
        return ErrorCode.HOOK_TIMED_OUT, f"the hook function {event.hook} did not report within one hour"
    return None


def _succeeded(deployment: Deployment, event: LifecycleEvent, now: float) -> Decision:
    """Close `event`; open the next one, or the deployment has succeeded."""
    names = [other.name for other in deployment.events]
    following = names[names.index(event.name) + 1 :][:1]
    events = tuple(_turned(other, event.name, following, now) for other in deployment.events)
    after = replace(deployment, events=events, updated_at=now)
    if following:
        after = replace(after, next_shift_at=now if following == [EventName.ALLOW_TRAFFIC] else None)
        return Decision(after, reason=f"{event.name} succeeded, {following[0]} begins")
    done = replace(moved_deployment(after, DeploymentStatus.SUCCEEDED), completed_at=now)
    return Decision(done, reason=f"{event.name} succeeded: version {deployment.target.version} has all the traffic")


def _turned(other: LifecycleEvent, done: EventName, following: list[EventName], now: float) -> LifecycleEvent:
    if other.name is done:
        return moved_event(other, EventStatus.SUCCEEDED, now)
    return moved_event(other, EventStatus.IN_PROGRESS, now) if other.name in following else other


def _shift(deployment: Deployment, event: LifecycleEvent, now: float) -> Decision:
    if deployment.next_shift_at is not None and now < deployment.next_shift_at:
        return Decision(deployment)
    # A first deployment has nothing to share the traffic with: the alias is made with all of it.
    steps = deployment.plan.steps() if deployment.target.current is not None else deployment.plan.steps()[-1:]
    step = steps[min(deployment.step, len(steps) - 1)]
    after = replace(
        deployment,
        step=deployment.step + 1,
        shifts=(*deployment.shifts, Shift(now, step.percent)),
        next_shift_at=now + step.wait_s,
        updated_at=now,
    )
    reason = f"step {after.step} of {len(steps)}: {step.percent:g} % to version {deployment.target.version}"
    if step.percent >= 100:
        after = _succeeded(after, event, now).deployment
    return Decision(after, weights=_weights(after), reason=reason)


def _weights(deployment: Deployment) -> Weights:
    route = expected_route(deployment)
    if route is None:
        raise AssertionError("a deployment that shifted traffic has a route")
    return route
