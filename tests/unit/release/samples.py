"""Values that the tests of this room start from."""

from dataclasses import replace

from penstock.core.context import Scope
from penstock.registry.model import Alias, FunctionVersion
from penstock.release.decide import Observation, decide
from penstock.release.model import (
    AlarmRules,
    Deployment,
    EventName,
    LifecycleEvent,
    Revision,
    RollbackEvent,
    RollbackRules,
    Target,
)
from penstock.release.plan import PREDEFINED

SCOPE = Scope("000000000000", "us-east-1")
ROLE = "arn:aws:iam::000000000000:role/orders"
ALL_EVENTS = RollbackRules(enabled=True, events=tuple(RollbackEvent))
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


def version(number: str, **changes) -> FunctionVersion:
    known = FunctionVersion(
        scope=SCOPE,
        name="orders",
        version=number,
        runtime="python3.11",
        handler="app.handler",
        role=ROLE,
        code_sha256="c" * 43 + "=",
        code_size=1,
        revision_id=f"r{number}",
        last_modified_at=0.0,
    )
    return replace(known, **changes)


def alias(number: str = "1", revision: str = "a0", **weights: float) -> Alias:
    shares = {name.removeprefix("v"): share for name, share in weights.items()}
    return Alias(SCOPE, "orders", "live", number, revision, weights=shares)


def deployment(
    *,
    config: str = CANARY,
    before: str | None = None,
    after: str | None = None,
    alarms: tuple[str, ...] = (),
    **changes,
) -> Deployment:
    made = Deployment(
        scope=SCOPE,
        id="d-ABC123XYZ",
        application="shop",
        group="orders",
        group_id="g-1",
        config=config,
        target=Target("orders", "live", "2", "1"),
        plan=PREDEFINED[config],
        appspec=Revision("AppSpecContent", "{}", "0" * 64),
        created_at=0.0,
        by="arn:aws:iam::000000000000:user/ann",
        marker_id="m-1",
        events=(
            LifecycleEvent(EventName.BEFORE_ALLOW_TRAFFIC, hook=before, execution_id="x-before"),
            LifecycleEvent(EventName.ALLOW_TRAFFIC),
            LifecycleEvent(EventName.AFTER_ALLOW_TRAFFIC, hook=after, execution_id="x-after"),
        ),
        alarms=AlarmRules(names=alarms, enabled=bool(alarms)),
        rollback=ALL_EVENTS,
    )
    return replace(made, **changes)


def seen(current: Alias | None = None, *, missing: bool = False, **alarms: str | None) -> Observation:
    """The world as the deployment expects it, unless told otherwise."""
    return Observation(None if missing else current or alias(), version("2"), version("1"), alarms)


def followed(start: Deployment, world: Observation, now: float) -> Deployment:
    """Decide until nothing more happens at `now`, with the alias following what is written."""
    current = start
    for number in range(20):
        decision = decide(current, world, now)
        if not decision.changes(current):
            return current
        current = decision.deployment
        if decision.weights is not None:
            route = decision.weights
            moved = Alias(SCOPE, "orders", "live", route.version, f"w{number}", weights=dict(route.additional))
            world = replace(world, alias=moved)
    raise AssertionError("the decision does not come to rest")


def world_of(current: Deployment, **alarms: str | None) -> Observation:
    """The world in which nobody but the deployment touched the alias."""
    percent = current.percent
    if percent >= 100:
        return seen(alias("2"), **alarms)
    return seen(alias("1", v2=percent / 100) if percent else alias("1"), **alarms)
