"""CodeDeploy's deployment operations through the room: the life of a deployment as a client sees it."""

import asyncio
from dataclasses import replace

import pytest

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.ports import HookInvocation, HookResult
from penstock.release.records import read_deployment
from release.office import ALL, ANN, AT_ONCE, CANARY, Office, revision
from release.rig import OK
from release.samples import SCOPE


def run(store, scenario, **options):
    async def whole():
        office = Office(store, **options)
        await scenario(office)
        await office.room.stop()

    asyncio.run(whole())


def refused(code: str, words: str = ""):
    return pytest.raises(ApiError, match=f"^{code}: .*{words}")


def test_a_healthy_canary_as_a_client_sees_it(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(description="faster search")
        info = await office.info(one)
        assert (info["status"], info["creator"], info["deploymentOverview"]["Pending"]) == ("Created", "user", 1)
        await office.tick()
        assert office.alias() == ("1", {"2": 0.1})
        assert office.routing.moved[-1].weights == {"2": 0.1}
        info, target = await office.info(one), await office.target(one)
        assert (info["status"], info["deploymentOverview"]["InProgress"]) == ("InProgress", 1)
        assert (target["status"], target["lambdaFunctionInfo"]["targetVersionWeight"]) == ("InProgress", 0.1)
        assert [event["status"] for event in target["lifecycleEvents"]] == ["Succeeded", "InProgress", "Pending"]
        await office.later(299.0)
        assert office.alias() == ("1", {"2": 0.1})
        await office.later(1.0)
        info, target = await office.info(one), await office.target(one)
        assert office.alias() == ("2", {})
        assert (info["status"], info["completeTime"]) == ("Succeeded", office.clock.now())
        assert (info["deploymentConfigName"], info["computePlatform"]) == (CANARY, "Lambda")
        assert "content" not in info["revision"]["appSpecContent"]
        assert len(info["revision"]["appSpecContent"]["sha256"]) == 64
        assert target["targetArn"] == "arn:aws:lambda:us-east-1:000000000000:function:orders:live"
        assert target["lambdaFunctionInfo"] == {
            "functionName": "orders",
            "functionAlias": "live",
            "currentVersion": "1",
            "targetVersion": "2",
            "targetVersionWeight": 1.0,
        }
        group = (await office.call("GetDeploymentGroup", applicationName="shop", deploymentGroupName="orders"))[
            "deploymentGroupInfo"
        ]
        assert group["lastSuccessfulDeployment"]["deploymentId"] == one
        assert group["targetRevision"]["revisionType"] == "AppSpecContent"

    run(store, scenario)


def test_an_alarm_stops_it_and_a_rollback_is_on_record(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
        office.alarms = {"errors": "OK"}
        one = await office.deploy()
        await office.tick()
        office.alarms = {"errors": "ALARM"}
        await office.later(1.0)
        assert office.alias() == ("1", {})
        info = await office.info(one)
        assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
        assert "Activated alarms: <errors>" in info["errorInformation"]["message"]
        other = info["rollbackInfo"]["rollbackDeploymentId"]
        back = await office.info(other)
        assert (back["status"], back["creator"], back["deploymentConfigName"]) == (
            "Succeeded",
            "codeDeployRollback",
            AT_ONCE,
        )
        words = f"Deployment {other} is triggered to roll back deployment {one}."
        assert back["rollbackInfo"] == {"rollbackTriggeringDeploymentId": one, "rollbackMessage": words}
        assert info["rollbackInfo"]["rollbackMessage"] == words
        assert (await office.target(other))["lambdaFunctionInfo"]["targetVersion"] == "1"
        listed = await office.call("ListDeployments", applicationName="shop", deploymentGroupName="orders")
        assert set(listed["deployments"]) == {one, other}
        assert [event["status"] for event in (await office.target(one))["lifecycleEvents"]] == [
            "Succeeded",
            "Failed",
            "Skipped",
        ]

    run(store, scenario)


def test_override_of_alarms_and_rollback_for_one_deployment(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
        office.alarms = {"errors": "ALARM"}
        one = await office.deploy(
            overrideAlarmConfiguration={"enabled": False, "alarms": []},
            autoRollbackConfiguration={"enabled": False},
            deploymentConfigName=AT_ONCE,
        )
        await office.tick()
        info = await office.info(one)
        assert (info["status"], info["overrideAlarmConfiguration"]["enabled"]) == ("Succeeded", False)

    run(store, scenario)


def test_changing_the_group_does_not_change_a_deployment_under_way(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        await office.tick()
        await office.call(
            "UpdateDeploymentGroup",
            applicationName="shop",
            currentDeploymentGroupName="orders",
            newDeploymentGroupName="renamed",
            alarmConfiguration={"enabled": True, "alarms": [{"name": "missing"}]},
        )
        await office.later(300.0)
        info = await office.info(one)
        assert (info["status"], info["deploymentGroupName"]) == ("Succeeded", "renamed")

    run(store, scenario)


HOOKS = [{"BeforeAllowTraffic": "check"}, {"AfterAllowTraffic": "smoke"}]


def test_hooks_report_before_their_invoke_returns(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS, deploymentConfigName=AT_ONCE)
        await office.tick()
        await office.tick()
        assert (await office.info(one))["status"] == "Succeeded"
        assert [name for name, _ in office.invoker.invoked] == ["check", "smoke"]
        assert len({execution for _, execution in office.invoker.invoked}) == 2

    run(store, scenario, answers={"check": ("Succeeded", OK), "smoke": ("Succeeded", OK)})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((None, HookInvocation(HookResult.FUNCTION_ERROR, "boom")), "ended with an error: boom"),
        ((None, HookInvocation(HookResult.NOT_FOUND)), "does not exist"),
        ((None, HookInvocation(HookResult.CANNOT_INVOKE, "no package")), "could not be invoked: no package"),
        (("Failed", OK), "reported Failed"),
    ],
)
def test_a_hook_that_goes_wrong_fails_it_at_once(store, answer, words) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS)
        await office.tick()
        info = await office.info(one)
        assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HOOK_EXECUTION_FAILURE")
        assert words in info["errorInformation"]["message"]
        assert office.alias() == ("1", {})
        event = (await office.target(one))["lifecycleEvents"][0]
        assert (event["status"], event["diagnostics"]["errorCode"]) == ("Failed", "UnknownError")

    run(store, scenario, answers={"check": answer})


def test_an_invoker_that_raises_is_a_hook_that_cannot_be_invoked(store) -> None:
    async def scenario(office):
        async def broken(*_):
            raise OSError("no file descriptors")

        office.invoker.invoke_hook = broken
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS)
        await office.tick()
        assert "no file descriptors" in (await office.info(one))["errorInformation"]["message"]

    run(store, scenario)


def test_a_throttled_hook_is_tried_again(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS[:1], deploymentConfigName=AT_ONCE)
        await office.tick()
        assert (await office.info(one))["status"] == "InProgress"
        await office.later(1.0)
        assert len(office.invoker.invoked) == 1
        office.invoker.answers["check"] = ("Succeeded", OK)
        await office.later(15.0)
        assert (await office.info(one))["status"] == "Succeeded"
        assert len(set(office.invoker.invoked)) == 1

    run(store, scenario, answers={"check": (None, HookInvocation(HookResult.THROTTLED))})


async def waiting(office) -> tuple[str, str]:
    office.function("1", "2")
    await office.group()
    one = await office.deploy(hooks=HOOKS[:1], deploymentConfigName=AT_ONCE)
    await office.tick()
    return one, office.invoker.invoked[0][1]


REPORTS = {
    "unknown deployment": ({"deploymentId": "d-NOTTHERE1"}, "DeploymentDoesNotExistException"),
    "no deployment": ({"deploymentId": None}, "DeploymentIdRequiredException"),
    "malformed deployment": ({"deploymentId": "x y"}, "InvalidDeploymentIdException"),
    "unknown execution": ({"lifecycleEventHookExecutionId": "nope"}, "InvalidLifecycleEventHookExecutionIdException"),
    "no execution": ({"lifecycleEventHookExecutionId": None}, "InvalidLifecycleEventHookExecutionIdException"),
    "InProgress": ({"status": "InProgress"}, "InvalidLifecycleEventHookExecutionStatusException"),
    "Skipped": ({"status": "Skipped"}, "InvalidLifecycleEventHookExecutionStatusException"),
    "no status": ({"status": None}, "InvalidLifecycleEventHookExecutionStatusException"),
}


@pytest.mark.parametrize(("changes", "code"), REPORTS.values(), ids=REPORTS)
def test_reports_that_are_refused(store, changes, code) -> None:
    async def scenario(office):
        one, execution = await waiting(office)
        members = {"deploymentId": one, "lifecycleEventHookExecutionId": execution, "status": "Succeeded"}
        with refused(code):
            await office.call("PutLifecycleEventHookExecutionStatus", **{**members, **changes})
        await office.tick()
        assert (await office.info(one))["status"] == "InProgress"

    run(store, scenario, answers={"check": (None, OK)})


def test_a_report_is_taken_once(store) -> None:
    async def scenario(office):
        one, execution = await waiting(office)
        members = {"deploymentId": one, "lifecycleEventHookExecutionId": execution}
        reply = await office.call("PutLifecycleEventHookExecutionStatus", **members, status="Succeeded")
        assert reply == {"lifecycleEventHookExecutionId": execution}
        with refused("LifecycleEventAlreadyCompletedException", "reported Succeeded before"):
            await office.call("PutLifecycleEventHookExecutionStatus", **members, status="Failed")
        await office.tick()
        assert (await office.info(one))["status"] == "Succeeded"
        with refused("LifecycleEventAlreadyCompletedException", "already Succeeded"):
            await office.call("PutLifecycleEventHookExecutionStatus", **members, status="Failed")

    run(store, scenario, answers={"check": (None, OK)})


def test_the_id_of_an_event_that_has_not_begun_is_not_a_way_to_skip_it(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS)
        await office.tick()
        later = office.store.read_now(lambda c: office_deployment(c, one)).events[2].execution_id
        with refused("InvalidLifecycleEventHookExecutionIdException"):
            await office.call(
                "PutLifecycleEventHookExecutionStatus",
                deploymentId=one,
                lifecycleEventHookExecutionId=later,
                status="Succeeded",
            )

    run(store, scenario, answers={"check": (None, OK)})


def office_deployment(connection, deployment_id):
    return read_deployment(connection, SCOPE, deployment_id)


@pytest.mark.parametrize(
    ("asked", "alias", "rollback"),
    [(True, ("1", {}), True), (False, ("1", {"2": 0.1}), False), (None, ("1", {}), True)],
)
def test_stop_deployment(store, asked, alias, rollback) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        await office.tick()
        members = {} if asked is None else {"autoRollbackEnabled": asked}
        reply = await office.call("StopDeployment", deploymentId=one, **members)
        assert reply["status"] == "Succeeded"
        info = await office.info(one)
        assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
        assert ANN in info["errorInformation"]["message"]
        assert office.alias() == alias
        assert ("rollbackDeploymentId" in info.get("rollbackInfo", {})) is rollback
        with refused("DeploymentAlreadyCompletedException", "Stopped"):
            await office.call("StopDeployment", deploymentId=one)

    run(store, scenario)


def test_a_stop_asked_before_the_first_tick_moves_nothing(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy(hooks=HOOKS)
        await office.call("StopDeployment", deploymentId=one, autoRollbackEnabled=True)
        info = await office.info(one)
        assert (info["status"], office.alias(), office.invoker.invoked) == ("Stopped", ("1", {}), [])
        assert info["rollbackInfo"] == {"rollbackMessage": "Not rolled back: the deployment had not started."}

    run(store, scenario)


def test_a_second_deployment_of_a_group_is_refused_while_one_is_active(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        one = await office.deploy()
        words = f"The Deployment Group 'orders' already has an active Deployment '{one}'"
        with refused("DeploymentLimitExceededException", words):
            await office.deploy("1", "3")
        await office.tick()
        with refused("DeploymentLimitExceededException", words):
            await office.deploy("1", "3")
        await office.later(300.0)
        two = await office.deploy("2", "3")
        assert (await office.info(two))["previousRevision"]["revisionType"] == "AppSpecContent"

    run(store, scenario)


def test_two_groups_cannot_move_one_alias_at_once(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        await office.call("CreateDeploymentGroup", **office.group_members(deploymentGroupName="other"))
        one = await office.deploy()
        with refused("DeploymentLimitExceededException", f"orders:live is already being moved by .*{one}"):
            await office.deploy("1", "3", deploymentGroupName="other")

    run(store, scenario)


def test_deployments_started_at_the_same_instant_do_not_both_start(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        results = await asyncio.gather(*(office.deploy("1", t) for t in "23232"), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["ApiError"] * 4 + ["str"]

    run(store, scenario)


def test_an_alias_moved_by_hand_fails_it_and_stays_where_it_is(store) -> None:
    async def scenario(office):
        office.function("1", "2", "3")
        await office.group()
        one = await office.deploy()
        await office.tick()
        office.by_hand("3")
        await office.later(1.0)
        info = await office.info(one)
        assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")
        assert "points at version 3" in info["errorInformation"]["message"]
        assert office.alias() == ("3", {})
        await office.later(600.0)
        assert office.alias() == ("3", {})

    run(store, scenario)


def test_a_first_deployment_makes_the_alias(store) -> None:
    async def scenario(office):
        office.function("1", at=None)
        await office.group()
        one = await office.deploy(None, "1")
        await office.tick()
        assert ((await office.info(one))["status"], office.alias()) == ("Succeeded", ("1", {}))

    run(store, scenario)


def test_a_deployment_that_cannot_start_is_on_record_as_failed(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy("2", "1")
        await office.tick()
        info = await office.info(one)
        assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")
        assert "does not match the current version in AppSpec file" in info["errorInformation"]["message"]
        assert office.alias() == ("1", {})

    run(store, scenario)


def test_someone_elses_account_sees_nothing(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        other = replace(office.context(), scope=Scope("111111111111", "us-east-1"))
        with refused("DeploymentDoesNotExistException"):
            await office.operations["GetDeployment"](other, {"deploymentId": one})
        with refused("DeploymentDoesNotExistException"):
            await office.operations["StopDeployment"](other, {"deploymentId": one})

    run(store, scenario)


CREATES = {
    "no group name": ({"deploymentGroupName": None}, "DeploymentGroupNameRequiredException"),
    "unknown group": ({"deploymentGroupName": "nope"}, "DeploymentGroupDoesNotExistException"),
    "unknown application": ({"applicationName": "nope"}, "ApplicationDoesNotExistException"),
    "no revision": ({"revision": None}, "RevisionRequiredException"),
    "S3": ({"revision": {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}}}, "InvalidRevisionException"),
    "GitHub": ({"revision": {"revisionType": "GitHub"}}, "InvalidRevisionException"),
    "no content": ({"revision": {"revisionType": "AppSpecContent"}}, "InvalidRevisionException"),
    "empty content": (
        {"revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": ""}}},
        "InvalidRevisionException",
    ),
    "other hash": (
        {"revision": {"revisionType": "String", "string": {"content": "x", "sha256": "0" * 64}}},
        "InvalidRevisionException",
    ),
    "broken appspec": (
        {"revision": {"revisionType": "String", "string": {"content": "version: 9"}}},
        "InvalidRevisionException",
    ),
    "unknown config": ({"deploymentConfigName": "nope"}, "DeploymentConfigDoesNotExistException"),
    "EC2 config": (
        {"deploymentConfigName": "CodeDeployDefault.OneAtATime"},
        "DeploymentConfigDoesNotExistException",
    ),
    "long description": ({"description": "x" * 257}, "DescriptionTooLongException"),
    "EC2 instances": ({"targetInstances": {"autoScalingGroups": ["a"]}}, "InvalidTargetInstancesException"),
    "stop failures": (
        {"ignoreApplicationStopFailures": True},
        "InvalidIgnoreApplicationStopFailuresValueException",
    ),
    "outdated only": ({"updateOutdatedInstancesOnly": True}, "InvalidUpdateOutdatedInstancesOnlyValueException"),
    "rollback without events": (
        {"autoRollbackConfiguration": {"enabled": True, "events": []}},
        "InvalidAutoRollbackConfigException",
    ),
    "unknown rollback event": (
        {"autoRollbackConfiguration": {"enabled": True, "events": ["X"]}},
        "InvalidAutoRollbackConfigException",
    ),
    "alarms without names": ({"overrideAlarmConfiguration": {"enabled": True}}, "InvalidAlarmConfigException"),
    "alarm twice": (
        {"overrideAlarmConfiguration": {"enabled": True, "alarms": [{"name": "a"}, {"name": "a"}]}},
        "InvalidAlarmConfigException",
    ),
    "eleven alarms": (
        {"overrideAlarmConfiguration": {"enabled": True, "alarms": [{"name": str(n)} for n in range(11)]}},
        "AlarmsLimitExceededException",
    ),
}


@pytest.mark.parametrize(("changes", "code"), CREATES.values(), ids=CREATES)
def test_deployments_that_are_refused_leave_nothing(store, changes, code) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        with refused(code):
            await office.deploy(**changes)
        assert (await office.call("ListDeployments"))["deployments"] == []
        assert [marker["kind"] for marker in await office.timeline()] == ["alias-created"]

    run(store, scenario)


def test_a_string_revision_is_shown_as_it_came(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        content = revision("1", "2")["appSpecContent"]["content"]
        one = await office.deploy(revision={"revisionType": "String", "string": {"content": content}})
        assert (await office.info(one))["revision"]["string"]["content"] == content

    run(store, scenario)


def test_lists_filters_and_pages(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group(autoRollbackConfiguration={"enabled": False})
        made = []
        for _ in range(105):
            made.append(await office.deploy("2", "1"))  # cannot start: the alias is at 1
            await office.later(1.0)
        first = await office.call("ListDeployments", applicationName="shop", deploymentGroupName="orders")
        second = await office.call("ListDeployments", nextToken=first["nextToken"])
        assert first["deployments"] + second["deployments"] == made[::-1]
        assert "nextToken" not in second
        ranged = await office.call("ListDeployments", createTimeRange={"start": 1100.0, "end": 1101.0})
        assert ranged["deployments"] == [made[101], made[100]]
        assert len((await office.call("ListDeployments", includeOnlyStatuses=["Failed"]))["deployments"]) == 100
        assert (await office.call("ListDeployments", includeOnlyStatuses=["Created"]))["deployments"] == []
        for params, code in (
            ({"includeOnlyStatuses": ["Odd"]}, "InvalidDeploymentStatusException"),
            ({"nextToken": "&&&"}, "InvalidNextTokenException"),
            ({"deploymentGroupName": "orders"}, "ApplicationNameRequiredException"),
            ({"createTimeRange": {"start": 5.0, "end": 1.0}}, "InvalidTimeRangeException"),
        ):
            with refused(code):
                await office.call("ListDeployments", **params)
        batch = await office.call("BatchGetDeployments", deploymentIds=[made[0], "d-NOTTHERE1"])
        assert [info["deploymentId"] for info in batch["deploymentsInfo"]] == [made[0]]
        with refused("BatchLimitExceededException"):
            await office.call("BatchGetDeployments", deploymentIds=made[:26])

    run(store, scenario)


def test_targets(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        one = await office.deploy()
        assert await office.call("ListDeploymentTargets", deploymentId=one) == {"targetIds": ["orders:live"]}
        filtered = await office.call(
            "ListDeploymentTargets", deploymentId=one, targetFilters={"TargetStatus": ["Succeeded"]}
        )
        assert filtered == {"targetIds": []}
        batch = await office.call("BatchGetDeploymentTargets", deploymentId=one, targetIds=["orders"])
        assert batch["deploymentTargets"][0]["deploymentTargetType"] == "LambdaTarget"
        for operation, params, code in (
            ("GetDeploymentTarget", {"targetId": "x"}, "DeploymentTargetDoesNotExistException"),
            ("BatchGetDeploymentTargets", {"targetIds": []}, "DeploymentTargetIdRequiredException"),
            ("BatchGetDeploymentTargets", {"targetIds": ["a", "b"]}, "DeploymentTargetListSizeExceededException"),
            ("ListDeploymentTargets", {"targetFilters": {"X": []}}, "InvalidTargetFilterNameException"),
            ("ListDeploymentTargets", {"targetFilters": {"TargetStatus": ["X"]}}, "InvalidInstanceStatusException"),
        ):
            with refused(code):
                await office.call(operation, deploymentId=one, **params)

    run(store, scenario)


def test_the_room_runs_by_itself(store) -> None:
    """Started as a room, with the mock clock advanced: the loop alone brings the deployment home."""

    async def scenario(office):
        office.function("1", "2")
        await office.group(autoRollbackConfiguration=ALL)
        await office.room.start()
        one = await office.deploy(hooks=HOOKS)
        for _ in range(400):
            await asyncio.sleep(0.001)
            await office.clock.advance(5.0)
            if (await office.info(one))["status"] == "Succeeded":
                break
        assert office.alias() == ("2", {})

    run(store, scenario, answers={"check": ("Succeeded", OK), "smoke": ("Succeeded", OK)})
