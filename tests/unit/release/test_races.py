"""What happens between reading and writing, and to those who come late: nothing is lost, nothing is overwritten."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from penstock.core.clock import MockClock
from penstock.registry.aliases import read_alias
from penstock.registry.records import write_alias
from penstock.release.commits import Commits
from penstock.release.hooks import record_result
from penstock.release.model import (
    DeploymentStatus,
    ErrorCode,
    ErrorInformation,
    EventName,
    RollbackInfo,
    StopRequest,
    Target,
)
from penstock.release.outcome import InvokeHook
from penstock.release.ports import HookInvocation, HookResult
from penstock.release.records import (
    DEPLOYMENTS,
    StaleDeploymentError,
    insert_deployment,
    read_deployment,
    save_deployment,
)
from penstock.release.stop import request_stop
from release.rig import OK, Rig
from release.samples import SCOPE, deployment

AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def move(connection) -> None:
    known = read_alias(connection, SCOPE, "orders", "live")
    write_alias(connection, replace(known, version="3", weights={}, revision_id="by-hand"))


def stop(connection) -> None:
    request_stop(connection, SCOPE, "d-ABC123XYZ", StopRequest(1.0, "ann", rollback=True))


@pytest.mark.parametrize(
    ("meanwhile", "status", "alias"),
    [(move, DeploymentStatus.FAILED, "3"), (stop, DeploymentStatus.STOPPED, "1")],
)
def test_what_happens_between_the_look_and_the_write_is_decided_again(store, meanwhile, status, alias) -> None:
    rig = Rig(store, MockClock(0.0))
    rig.found("1", "2", "3")
    rig.deploy(deployment())
    inner, raced = rig.store.read, []

    async def read(work):
        seen = await inner(work)
        current = rig.deployment("d-ABC123XYZ")
        if current.status is DeploymentStatus.IN_PROGRESS and current.events[1].started_at is not None and not raced:
            raced.append(True)  # the tick is about to shift; this comes first
            store.write_now(meanwhile)
        return seen

    rig.store.read = read
    asyncio.run(rig.turn())
    ended = rig.deployment("d-ABC123XYZ")
    assert raced
    assert (ended.status, ended.percent) == (status, 0.0)
    assert (rig.alias().version, dict(rig.alias().weights)) == (alias, {})
    assert ended.shifts == ()


def test_a_write_from_an_old_reading_is_refused(store) -> None:
    first = deployment()
    store.write_now(lambda c: insert_deployment(c, first))
    store.write_now(lambda c: save_deployment(c, first))
    with pytest.raises(StaleDeploymentError, match="not at revision 0"):
        store.write_now(lambda c: save_deployment(c, replace(first, step=7)))
    assert store.read_now(lambda c: read_deployment(c, SCOPE, first.id)).step == 0


@pytest.mark.parametrize(
    "second",
    [
        {"target": Target("other", "live", "2", "1")},
        {"group_id": "g-2"},
    ],
    ids=["same group", "same alias"],
)
def test_the_database_itself_holds_one_active_deployment_a_group_and_alias(store, second) -> None:
    store.write_now(lambda c: insert_deployment(c, deployment()))
    with pytest.raises(sa.exc.IntegrityError):
        store.write_now(lambda c: insert_deployment(c, deployment(id="d-OTHER0001", **second)))
    ended = deployment(id="d-OTHER0001", status=DeploymentStatus.FAILED, **second)
    store.write_now(lambda c: insert_deployment(c, ended))


def test_memory_follows_the_disk_when_the_caller_goes_away(store) -> None:
    followed = []

    async def scenario():
        commits = Commits(store)
        task = asyncio.ensure_future(commits.run(lambda c: insert_deployment(c, deployment()), followed.append))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the write was handed over
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await commits.drain()

    asyncio.run(scenario())
    assert len(followed) == 1


def test_a_late_end_of_the_first_hook_says_nothing_about_the_last(store) -> None:
    """The first hook reported early and goes on running; when it then breaks, its event is long over."""
    rig = Rig(store, MockClock(0.0), answers={"check": ("Succeeded", OK), "smoke": (None, OK)})
    rig.found("1", "2")
    rig.deploy(deployment(config=AT_ONCE, before="check", after="smoke"))
    asyncio.run(rig.turn())
    asyncio.run(rig.turn())
    waiting = rig.deployment("d-ABC123XYZ")
    assert waiting.current_event.name is EventName.AFTER_ALLOW_TRAFFIC
    late = InvokeHook(waiting.id, EventName.BEFORE_ALLOW_TRAFFIC, "check", waiting.events[0].execution_id)
    broke = HookInvocation(HookResult.FUNCTION_ERROR, "too late")
    store.write_now(lambda c: record_result(c, SCOPE, late, broke, 9.0))
    assert rig.deployment("d-ABC123XYZ") == waiting


def test_everything_about_a_deployment_survives_the_disk(store) -> None:
    full = deployment(
        before="check",
        after="smoke",
        alarms=("a", "b"),
        stop=StopRequest(1.0, "ann", None, "why"),
        error=ErrorInformation(ErrorCode.ALARM_ACTIVE, "words"),
        rollback_info=RollbackInfo("d-1", "d-2", "words"),
        previous_appspec=deployment().appspec,
    )
    store.write_now(lambda c: insert_deployment(c, full))
    assert store.read_now(lambda c: read_deployment(c, SCOPE, full.id)) == full


def test_a_row_of_another_penstock_still_reads(store) -> None:
    def rewrite(connection):
        insert_deployment(connection, deployment())
        body = connection.execute(sa.select(DEPLOYMENTS.c.body)).scalar_one()
        body = {**body, "from_the_future": [1]}
        del body["alarms"], body["step"]
        connection.execute(sa.update(DEPLOYMENTS).values(body=body))

    store.write_now(rewrite)
    assert store.read_now(lambda c: read_deployment(c, SCOPE, "d-ABC123XYZ")) == deployment()
