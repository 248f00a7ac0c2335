"""A drill in one process: the server is killed at every dangerous point of a deployment, one after the other.

After each kill a fresh server over the same store must bring the deployment to the end it would have had, and at
every commit alias, deployment and marker must have told one story.
"""

import asyncio
from dataclasses import dataclass, field

import pytest

from penstock.core.clock import MockClock
from penstock.core.dice import SeededDice
from penstock.registry.aliases import read_alias, set_route
from penstock.release.model import DeploymentStatus, StopRequest
from penstock.release.plan import Routing, TrafficPlan
from penstock.release.ports import HookInvocation, HookResult
from penstock.release.stop import request_stop
from penstock.store.database import SqliteStore
from release.rig import OK, Crash, Rig, alias_agrees
from release.samples import SCOPE, deployment

LINEAR = TrafficPlan(Routing.LINEAR, 40, 1)
STEP_S = 60.0
FAILS = HookInvocation(HookResult.FUNCTION_ERROR, "Unhandled")
GOOD = {"check": ("Succeeded", OK), "smoke": ("Succeeded", OK)}


@dataclass(frozen=True)
class Story:
    """What happens in the world, and how the deployment must end whoever dies when."""

    ends: DeploymentStatus
    at: str
    rolled_back: bool
    deploy: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    alarm_at: float | None = None
    stop_at: float | None = None
    moved_at: float | None = None
    hooks: tuple[str, ...] = ()
    alias_agrees: bool = True


STORIES = {
    "healthy canary with two hooks": Story(
        DeploymentStatus.SUCCEEDED, "2", False, {"before": "check", "after": "smoke"}, GOOD, hooks=("check", "smoke")
    ),
    "healthy linear": Story(DeploymentStatus.SUCCEEDED, "2", False, {"plan": LINEAR}),
    "alarm in mid shift": Story(
        DeploymentStatus.STOPPED, "1", True, {"plan": LINEAR, "alarms": ("errors",)}, alarm_at=60.0
    ),
    "alarm while the last hook is silent": Story(
        DeploymentStatus.STOPPED,
        "1",
        True,
        {"after": "silent", "alarms": ("errors",)},
        {"silent": (None, OK)},
        alarm_at=600.0,
        hooks=("silent",),
    ),
    "first hook reports Failed": Story(
        DeploymentStatus.FAILED, "1", True, {"before": "check"}, {"check": ("Failed", OK)}, hooks=("check",)
    ),
    "last hook breaks": Story(
        DeploymentStatus.FAILED, "1", True, {"after": "smoke"}, {"smoke": (None, FAILS)}, hooks=("smoke",)
    ),
    "hook says nothing": Story(
        DeploymentStatus.FAILED, "1", True, {"before": "mute"}, {"mute": (None, OK)}, hooks=("mute",)
    ),
    "stopped by hand": Story(DeploymentStatus.STOPPED, "1", True, {"plan": LINEAR}, stop_at=60.0),
    "someone else moves the alias": Story(
        DeploymentStatus.FAILED, "3", False, {"plan": LINEAR}, moved_at=60.0, alias_agrees=False
    ),
}


async def live_through(story: Story, store: SqliteStore, crash_at: int | None) -> tuple[Rig, bool, int]:
    clock = MockClock(0.0)
    rig = Rig(store, clock, crash_at=crash_at, answers=story.answers)
    rig.found("1", "2", "3")
    deployment_id = rig.deploy(deployment(**story.deploy))
    crashed, moved, asked = False, False, False
    while rig.deployment(deployment_id).is_active:
        rig.alarms = {"errors": "ALARM" if story.alarm_at is not None and clock.now() >= story.alarm_at else "OK"}
        if story.stop_at is not None and clock.now() >= story.stop_at and not asked:
            request = StopRequest(clock.now(), "ann", rollback=True)
            store.write_now(lambda c, request=request: request_stop(c, SCOPE, deployment_id, request))
            asked = True
        if story.moved_at is not None and clock.now() >= story.moved_at and not moved:
            store.write_now(move_by_hand)
            moved = True
        try:
            await rig.turn()
        except Crash:
            crashed = True
            await rig.abandon()
            rig = Rig(store, clock, answers=story.answers, seed=2)
            continue
        if not moved:
            assert store.read_now(lambda c: alias_agrees(c, deployment_id))
        clock.move(STEP_S * (10 if story.hooks == ("mute",) else 1))
        assert clock.now() < 20_000, "the deployment never ends"
    return rig, crashed, rig.points.passed


def move_by_hand(connection):
    known = read_alias(connection, SCOPE, "orders", "live")
    set_route(
        connection,
        scope=SCOPE,
        function="orders",
        alias="live",
        version="3",
        weights={},
        expected_revision_id=known.revision_id,
        revision_id="by-hand",
    )


def check_the_end(rig: Rig, story: Story) -> None:
    ended = rig.deployment("d-ABC123XYZ")
    assert ended.status is story.ends
    alias = rig.alias()
    assert (alias.version, dict(alias.weights)) == (story.at, {})
    rollbacks = rig.rollback_of(ended.id)
    assert len(rollbacks) == (1 if story.rolled_back else 0)
    markers = rig.timeline()
    assert len(markers) == 1 + len(rollbacks)
    if rollbacks:
        assert ended.rollback_info.deployment_id == rollbacks[0].id
        undoing = next(marker for marker in markers if marker.rollback)
        assert (undoing.undoes, undoing.target_version) == (ended.marker_id, "1")


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_without_a_crash(story: Story, store: SqliteStore) -> None:
    rig, crashed, points = asyncio.run(live_through(story, store, None))
    check_the_end(rig, story)
    assert not crashed
    assert points > 5
    assert tuple(name for name, _ in rig.invoker.invoked) == story.hooks


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_killed_at_every_dangerous_point(story: Story, tmp_path, migrated: bytes) -> None:
    killed = 0
    for crash_at in range(1, 200):
        path = tmp_path / f"{crash_at}.db"
        path.write_bytes(migrated)
        store = SqliteStore(path, durable=False)
        try:
            rig, crashed, _ = asyncio.run(live_through(story, store, crash_at))
            check_the_end(rig, story)
        finally:
            store.close()
            path.unlink()
        if not crashed:
            break
        killed += 1
    assert 5 < killed < 199, "every point was tried, and then one run had none left"


@pytest.mark.parametrize("seed", range(5))
def test_killed_again_and_again(seed: int, store: SqliteStore) -> None:
    """Seeded: the restarted server is killed too, at a random distance, until the deployment has ended."""
    dice = SeededDice(seed)
    story = STORIES["healthy canary with two hooks"] if seed % 2 else STORIES["alarm in mid shift"]

    async def scenario() -> Rig:
        clock = MockClock(0.0)
        rig = Rig(store, clock, crash_at=1 + int(dice.random() * 6), answers=story.answers)
        rig.found("1", "2", "3")
        deployment_id = rig.deploy(deployment(**story.deploy))
        while rig.deployment(deployment_id).is_active:
            rig.alarms = {"errors": "ALARM" if story.alarm_at is not None and clock.now() >= story.alarm_at else "OK"}
            try:
                await rig.turn()
            except Crash:
                await rig.abandon()
                rig = Rig(store, clock, crash_at=1 + int(dice.random() * 8), answers=story.answers, seed=clock.now())
            clock.move(STEP_S)
            assert clock.now() < 20_000
        return rig

    check_the_end(asyncio.run(scenario()), story)
