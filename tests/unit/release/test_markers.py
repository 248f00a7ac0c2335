"""Markers: written for every change, planned by hand, joined with the change that follows, closed once."""

import asyncio
from itertools import product

import pytest

from penstock.release.markers.model import MARKER_MOVES, MarkerStatus
from release.office import ANN, AT_ONCE, Office

PLAN = {"action": "plan", "name": "orders-17", "component": "lambda/orders", "reason": "free shipping"}


def run(store, scenario, **options):
    async def whole():
        office = Office(store, **options)
        await scenario(office)
        await office.room.stop()

    asyncio.run(whole())


async def post(office, expected: int = 200, /, **body):
    answer, content = await office.http("POST", "/_penstock/markers", body)
    assert answer == expected, content
    return content


@pytest.mark.parametrize(("old", "new"), list(product(MarkerStatus, repeat=2)))
def test_every_pair_of_marker_states_over_the_wire(store, old, new) -> None:
    async def scenario(office):
        await post(office, **PLAN)
        if old is not MarkerStatus.PENDING:
            await post(office, action="update", name="orders-17", status=old)
        allowed = new in MARKER_MOVES[old]
        reply = await post(office, 200 if allowed else 409, action="update", name="orders-17", status=new)
        if allowed:
            assert (reply["status"], reply["closed_at"] is None) == (new, new.is_open)
        else:
            assert old in reply["message"]
        marker = (await office.timeline())[0]
        assert marker["status"] == (new if allowed else old)

    run(store, scenario)


def test_a_deployment_is_one_marker_with_its_steps_inside(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(description="faster search")
        opened = (await office.timeline())[0]
        assert (opened["status"], opened["shifts"], opened["deployment_id"]) == ("RUNNING", [], one)
        await office.tick()
        await office.later(300.0)
        marker, first = await office.timeline()
        assert first["kind"] == "alias-created"
        assert (marker["id"], marker["status"], marker["kind"]) == (opened["id"], "SUCCESS", "deployment")
        assert (marker["previous_version"], marker["target_version"], marker["by"]) == ("1", "2", ANN)
        assert (marker["component"], marker["alias"], marker["reason"]) == ("lambda/orders", "live", "faster search")
        assert marker["shifts"] == [[1000.0, {"2": 10.0, "1": 90.0}], [1300.0, {"2": 100.0}]]
        assert (marker["opened_at"], marker["closed_at"]) == (1000.0, 1300.0)

    run(store, scenario)


def test_a_rollback_is_another_marker_that_names_the_one_it_undoes(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
        office.alarms = {"errors": "OK"}
        await office.deploy()
        await office.tick()
        office.alarms = {"errors": "ALARM"}
        await office.later(5.0)
        back, failed, _ = await office.timeline()
        assert (back["kind"], back["rollback"], back["undoes"]) == ("rollback", True, failed["id"])
        assert (back["previous_version"], back["target_version"], back["status"]) == ("2", "1", "SUCCESS")
        assert failed["status"] == "FAILED"
        assert "<errors>" in failed["failure_reason"]
        assert failed["shifts"][-1] == [1005.0, {"1": 100.0}]

    run(store, scenario)


def test_a_stop_by_hand_is_canceled_not_failed(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        await office.tick()
        await office.call("StopDeployment", deploymentId=one, autoRollbackEnabled=False)
        assert (await office.timeline())[0]["status"] == "CANCELED"

    run(store, scenario)


def test_a_deployment_joins_the_plan_that_announced_it(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        planned = await post(office, **PLAN, environment="production", target_version="v1.9.0")
        office.clock.move(60.0)
        await office.deploy(deploymentConfigName=AT_ONCE)
        await office.tick()
        marker, first = await office.timeline()
        assert first["kind"] == "alias-created"
        assert marker["id"] == planned["id"]
        assert (marker["reason"], marker["environment"], marker["name"]) == (
            "free shipping",
            "production",
            "orders-17",
        )
        assert (marker["target_version"], marker["detail"]["planned_version"]) == ("2", "v1.9.0")
        assert (marker["opened_at"], marker["planned_at"], marker["status"]) == (1060.0, 1000.0, "SUCCESS")

    run(store, scenario)


def test_a_move_by_hand_joins_too_and_preparing_it_does_not(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await post(office, **PLAN)
        office.store.write_now(lambda c: office.markers.record(c, office.change("code-updated", None, None, None)))
        assert (await office.timeline(component="lambda/orders"))[0]["kind"] == "code-updated"
        office.by_hand("2")
        found = {marker["kind"]: marker for marker in await office.timeline()}
        assert found["alias-moved"]["reason"] == "free shipping"
        assert "planned" not in found

    run(store, scenario)


@pytest.mark.parametrize(
    "plan",
    [
        {**PLAN, "component": "lambda/other"},
        {**PLAN, "target_version": "3"},
        {**PLAN, "component": "layer/orders"},
    ],
)
def test_a_change_does_not_join_a_plan_for_something_else(store, plan) -> None:
    async def scenario(office):
        office.function("1", "2")
        await post(office, **plan)
        office.by_hand("2")
        found = {marker["kind"]: marker for marker in await office.timeline()}
        assert found["planned"]["status"] == "PENDING"
        assert found["alias-moved"]["reason"] is None

    run(store, scenario)


def test_one_plan_is_joined_once(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await post(office, **PLAN)
        office.by_hand("2")
        office.by_hand("3")
        assert [marker["reason"] for marker in await office.timeline() if marker["kind"] == "alias-moved"] == [
            None,
            "free shipping",
        ]

    run(store, scenario)


def test_a_pipeline_may_say_what_is_already_so(store) -> None:
    """plan, deploy, update RUNNING, update SUCCESS: the usual script works whoever is first."""

    async def scenario(office):
        office.function("1", "2")
        await office.group()
        await post(office, **PLAN)
        await office.deploy()
        await office.tick()
        assert (await post(office, action="update", name="orders-17", status="running"))["status"] == "RUNNING"
        refusal = await post(office, 409, action="update", name="orders-17", status="SUCCESS")
        assert refusal["code"] == "MarkerFollowsDeployment"
        await office.later(300.0)
        assert (await post(office, action="update", name="orders-17", status="SUCCESS"))["status"] == "SUCCESS"
        refusal = await post(office, 409, action="update", name="orders-17", status="FAILED")
        assert (refusal["code"], "ended SUCCESS" in refusal["message"]) == ("MarkerClosed", True)

    run(store, scenario)


def test_planning_again_supersedes_the_open_plan(store) -> None:
    async def scenario(office):
        await post(office, **PLAN)
        office.clock.move(1.0)
        second = await post(office, **PLAN)
        newest, older = await office.timeline()
        assert (newest["id"], newest["status"]) == (second["id"], "PENDING")
        assert (older["status"], older["failure_reason"]) == ("CANCELED", "planned again")

    run(store, scenario)


def test_log_writes_one_in_one_go(store) -> None:
    async def scenario(office):
        await post(
            office,
            action="log",
            component="stack/shop",
            environment="production",
            target_version="9f3c",
            status="FAILED",
            failure_reason="smoke test: 502",
            rollback=True,
        )
        marker = (await office.timeline())[0]
        assert (marker["status"], marker["closed_at"], marker["failure_reason"], marker["rollback"]) == (
            "FAILED",
            1000.0,
            "smoke test: 502",
            True,
        )

    run(store, scenario)


def test_the_timeline_narrows(store) -> None:
    async def scenario(office):
        for number, (component, environment) in enumerate(
            [("lambda/orders", "live"), ("layer/pillow", "live"), ("lambda/orders", "staging")]
        ):
            await post(office, action="log", component=component, environment=environment, target_version=str(number))
            office.clock.move(1800.0)

        async def seen(**query):
            return [marker["target_version"] for marker in await office.timeline(**query)]

        assert await seen(since="24h") == ["2", "1", "0"]
        assert await seen() == ["2", "1"]  # 60 minutes
        assert await seen(since="30m") == ["2"]
        assert await seen(since="10s") == []
        assert await seen(since="1d", component="lambda/orders") == ["2", "0"]
        assert await seen(since="1d", component="lambda%2Forders", environment="live") == ["0"]
        assert await seen(since="1d", limit="1") == ["2"]

    run(store, scenario)


def test_what_is_still_open_is_always_on_the_timeline(store) -> None:
    async def scenario(office):
        await post(office, **PLAN)
        office.clock.move(9e5)
        assert [marker["status"] for marker in await office.timeline(since="1m")] == ["PENDING"]

    run(store, scenario)


BAD = {
    "not json": b"{",
    "not an object": [1],
    "deep": b"[" * 100_000,
    "no action": {"name": "x"},
    "unknown action": {"action": "explode"},
    "no component": {"action": "plan", "name": "x"},
    "component without a kind": {**PLAN, "component": "orders"},
    "component of a list": {**PLAN, "component": ["lambda/orders"]},
    "long reason": {**PLAN, "reason": "x" * 5000},
    "number as version": {**PLAN, "target_version": 4},
    "no status": {"action": "update", "name": "x"},
    "unknown status": {"action": "update", "name": "x", "status": "DONE"},
    "no name": {"action": "update", "status": "SUCCESS"},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_bad_bodies_are_refused_and_write_nothing(store, body) -> None:
    async def scenario(office):
        status, content = await office.http("POST", "/_penstock/markers", body)
        assert (status, content["code"]) == (400, "ValidationException")
        assert await office.timeline() == []

    run(store, scenario)


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("POST", "/_penstock/timeline", "", 405),
        ("GET", "/_penstock/markers", "", 405),
        ("GET", "/_penstock/rollback", "", 405),
        ("GET", "/_penstock/timeline", "since=yesterday", 400),
        ("GET", "/_penstock/timeline", "since=-5m", 400),
        ("GET", "/_penstock/timeline", "since=" + "9" * 400, 400),
        ("GET", "/_penstock/timeline", "limit=0", 400),
        ("GET", "/_penstock/timeline", "limit=x", 400),
        ("GET", "/_penstock/timeline", "limit=" + "9" * 400, 400),
        ("GET", "/_penstock/timeline", "limit=%C2%B2", 400),
        ("GET", "/_penstock/live/orders", "", 400),
        ("GET", "/_penstock/live/", "", 400),
        ("GET", "/_penstock/live/no:where", "", 404),
    ],
)
def test_bad_requests(store, method, path, query, status) -> None:
    async def scenario(office):
        answer, content = await office.http(method, path, {}, query)
        assert (answer, set(content)) == (status, {"code", "message"})

    run(store, scenario)


def test_an_unknown_name_is_not_found(store) -> None:
    async def scenario(office):
        reply = await post(office, 404, action="update", name="nope", status="SUCCESS")
        assert reply["code"] == "MarkerNotFound"

    run(store, scenario)
