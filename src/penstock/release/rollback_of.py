"""The recorded deployment that takes another one back. Pure.

Rule: it is born finished. The alias goes back in the transaction that ends the failed deployment, so there is no
moment in which a rollback is under way and could be lost.
"""

import hashlib
import json
from dataclasses import replace

from penstock.release.model import (
    AlarmRules,
    Creator,
    Deployment,
    DeploymentStatus,
    EventName,
    EventStatus,
    LifecycleEvent,
    Revision,
    RollbackInfo,
    RollbackRules,
    Shift,
    Target,
)
from penstock.release.plan import ALL_AT_ONCE, PREDEFINED


def rollback_of(ended: Deployment, deployment_id: str, marker_id: str, now: float) -> tuple[Deployment, Deployment]:
    """The ended deployment naming its rollback, and the rollback naming what it undoes."""
    if ended.target.current is None:
        raise ValueError(f"deployment {ended.id} has no version to go back to")
    words = f"Deployment {deployment_id} is triggered to roll back deployment {ended.id}."
    target = replace(ended.target, version=ended.target.current, current=ended.target.version)
    done = replace(
        ended,
        id=deployment_id,
        marker_id=marker_id,
        creator=Creator.ROLLBACK,
        config=ALL_AT_ONCE,
        plan=PREDEFINED[ALL_AT_ONCE],
        description=None,
        target=target,
        appspec=_appspec(target),
        status=DeploymentStatus.SUCCEEDED,
        revision=0,
        created_at=now,
        started_at=now,
        completed_at=now,
        updated_at=now,
        events=tuple(LifecycleEvent(name, EventStatus.SUCCEEDED, started_at=now, ended_at=now) for name in EventName),
        step=1,
        shifts=(Shift(now, 100.0),),
        next_shift_at=None,
        alarms=AlarmRules(),
        alarms_overridden=False,
        rollback=RollbackRules(),
        stop=None,
        error=None,
        rollback_info=RollbackInfo(triggering_deployment_id=ended.id, message=words),
        previous_appspec=ended.appspec,
    )
    return replace(ended, rollback_info=RollbackInfo(deployment_id=deployment_id, message=words)), done


def _appspec(target: Target) -> Revision:
    properties = {
        "Name": target.function,
        "Alias": target.alias,
        "CurrentVersion": target.current,
        "TargetVersion": target.version,
    }
    resource = {target.function: {"Type": "AWS::Lambda::Function", "Properties": properties}}
    content = json.dumps({"version": 0.0, "Resources": [resource]})
    return Revision("AppSpecContent", content, hashlib.sha256(content.encode()).hexdigest())
