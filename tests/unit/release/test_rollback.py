"""What the person on call asks: which version is live and why, and put it back."""

import asyncio
from itertools import pairwise

import pytest

from penstock.release.ports import Rate
from release.office import ANN, AT_ONCE, Office
from release.rig import OK


def run(store, scenario, **options):
    async def whole():
        office = Office(store, **options)
        await scenario(office)
        await office.room.stop()

    asyncio.run(whole())


async def back(office, status=200, **members):
    wish = {"function": "orders", "alias": "live", "reason": "checkout fails", **members}
    answer, content = await office.http("POST", "/_penstock/rollback", wish)
    assert answer == status, content
    return content


async def live(office):
    status, content = await office.http("GET", "/_penstock/live/orders:live")
    assert status == 200
    return content


async def released(office, *versions: str) -> None:
    for current, target in pairwise(versions):
        await office.deploy(current, target, deploymentConfigName=AT_ONCE, description=f"to {target}")
        await office.later(10.0)
        assert office.alias() == (target, {})


def test_live_says_which_version_since_when_by_whom_and_why(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        await released(office, "1", "2")
        office.rates.known = {None: Rate(200.0, 4.0)}
        office.clock.move(600.0)
        found = await live(office)
        assert (found["version"], found["since"], found["by"], found["why"]) == ("2", 1010.0, ANN, "to 2")
        assert (found["weights"], found["last_known_good"], found["deployment"]) == ({"2": 100.0}, "1", None)
        assert found["errors"]["before"] == {"requests": 200.0, "errors": 4.0, "error_rate": 0.02}
        assert found["errors"]["versions"] == {"2": None}

    run(store, scenario)


def test_live_while_the_traffic_is_shared(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(description="faster")
        await office.tick()
        office.rates.known = {"2": Rate(10.0, 3.0)}
        found = await live(office)
        assert (found["version"], found["weights"]) == ("1", {"1": 90.0, "2": 10.0})
        assert found["deployment"]["id"] == one
        assert (found["deployment"]["percent"], found["deployment"]["to"], found["deployment"]["why"]) == (
            10.0,
            "2",
            "faster",
        )
        assert found["errors"]["versions"]["2"]["error_rate"] == 0.3
        assert found["last_known_good"] == "1"

    run(store, scenario)


def test_live_of_an_alias_older_than_the_timeline(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        office.by_hand("2")
        office.by_hand("1", v2=0.25)
        assert (await live(office))["weights"] == {"1": 75.0, "2": 25.0}

    run(store, scenario)


def test_back_to_the_last_known_good_version(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await released(office, "1", "2", "3")
        reply = await back(office)
        assert (reply["version"], reply["previous_version"], office.alias()) == ("2", "3", ("2", {}))
        assert office.routing.moved[-1].version == "2"
        marker, undone = (await office.timeline())[:2]
        assert (marker["id"], marker["rollback"], marker["undoes"]) == (reply["marker_id"], True, undone["id"])
        assert (marker["reason"], marker["by"], marker["status"]) == ("checkout fails", ANN, "SUCCESS")
        assert (await back(office))["version"] == "1"  # never the bad 3
        refusal = await back(office, 409)
        assert (refusal["code"], "2, 3" in refusal["message"]) == ("NoKnownGoodVersion", True)
        assert office.alias() == ("1", {})

    run(store, scenario)


def test_to_a_version_by_name(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        office.by_hand("3")
        assert (await back(office, to="2"))["version"] == "2"
        assert office.alias() == ("2", {})
        assert (await back(office, 409, to="2"))["code"] == "AlreadyThere"
        for nonsense in ("9", "$LATEST", "live", "²", "-1", "0"):
            assert (await back(office, 409, to=nonsense))["code"] == "VersionNotUsable"
        assert (await back(office, 404, alias="nope"))["code"] == "ResourceNotFoundException"
        assert (await back(office, 400, function=""))["code"] == "ValidationException"

    run(store, scenario)


def test_shares_moved_by_hand_go_back_to_the_primary(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        office.by_hand("1", v2=0.5)
        reply = await back(office)
        assert (reply["version"], reply["previous_version"], office.alias()) == ("1", "2", ("1", {}))

    run(store, scenario)


@pytest.mark.parametrize("to", [None, "1"])
def test_a_deployment_under_way_is_stopped_and_taken_back(store, to) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group(autoRollbackConfiguration={"enabled": False})
        one = await office.deploy()
        await office.tick()
        reply = await back(office, to=to)
        assert (reply["stopped_deployment_id"], reply["version"], office.alias()) == (one, "1", ("1", {}))
        info = await office.info(one)
        assert (info["status"], info["rollbackInfo"]["rollbackDeploymentId"]) == (
            "Stopped",
            reply["rollback_deployment_id"],
        )
        assert "checkout fails" in info["errorInformation"]["message"]

    run(store, scenario)


def test_a_deployment_that_has_not_begun_is_stopped_and_that_is_all(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        reply = await back(office)
        assert (reply["stopped_deployment_id"], reply["version"], office.alias()) == (one, "1", ("1", {}))
        assert (await office.info(one))["status"] == "Stopped"

    run(store, scenario)


def test_while_a_hook_runs_going_back_means_where_it_came_from(store) -> None:
    """Version 1 is known good too, but the person sees 2 live and a deployment to 3 that has shifted nothing."""

    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await released(office, "1", "2")
        await office.deploy("2", "3", hooks=[{"BeforeAllowTraffic": "check"}])
        await office.tick()
        good = (await live(office))["last_known_good"]
        assert good == "2"
        assert (await back(office, to=good))["version"] == "2"
        assert office.alias() == ("2", {})

    run(store, scenario, answers={"check": (None, OK)})


def test_a_deployment_is_stopped_and_then_another_version_taken(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await released(office, "1", "2")
        one = await office.deploy("2", "3")
        await office.tick()
        reply = await back(office, to="1")
        assert (reply["stopped_deployment_id"], office.alias()) == (one, ("1", {}))
        assert not (await office.call("ListDeployments", includeOnlyStatuses=["InProgress"]))["deployments"]

    run(store, scenario)


def test_after_someone_elses_move_it_still_goes_back(store) -> None:
    """The deployment fails because the alias was moved; the person on call still gets a good version."""

    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await office.deploy()
        await office.tick()
        office.by_hand("3")
        reply = await back(office)
        assert (reply["version"], office.alias()) == ("1", ("1", {}))

    run(store, scenario)


def test_rollbacks_at_the_same_instant_leave_one_truth(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await released(office, "1", "2", "3")
        replies = await asyncio.gather(
            *(
                office.http("POST", "/_penstock/rollback", {"function": "orders", "alias": "live", "to": "1"})
                for _ in "ab"
            )
        )
        assert sorted(status for status, _ in replies) == [200, 409]
        assert office.alias() == ("1", {})

    run(store, scenario)
