"""Releases through unmodified boto3 against a running server: healthy, bad, hooked, stopped, refused."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from running import wait_until
from shop import ALL_EVENTS, BAD, CANARY, GOOD, STYLE, Shop

AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def watched(shop: Shop) -> dict:
    return {"alarmConfiguration": {"enabled": True, "alarms": [{"name": shop.alarm()}]}}


@pytest.fixture
def shop(fast_server, name) -> Shop:
    return Shop(fast_server, name)


@pytest.fixture
def guarded(shop) -> Shop:
    members = {"applicationName": shop.name, "currentDeploymentGroupName": shop.name}
    shop.deployments.update_deployment_group(**members, **watched(shop))
    return shop


class Traffic:
    """Steady calls through the alias; every reply is kept."""

    def __init__(self, shop: Shop):
        self.client = shop.server.client("lambda")
        self.name = shop.name
        self.replies: list[tuple[str, str | None]] = []
        self.broken: list[BaseException] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stopping.set()
        self.thread.join()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                reply = self.client.invoke(FunctionName=self.name, Qualifier="live", Payload=b"{}")
            except Exception as error:  # noqa: BLE001 - the test asserts that there is none
                self.broken.append(error)
                continue
            self.replies.append((reply["ExecutedVersion"], reply.get("FunctionError")))
            self.stopping.wait(0.02)


def test_a_healthy_canary_ends_at_the_new_version(guarded) -> None:
    shop = guarded
    target = shop.publish(GOOD)
    with Traffic(shop) as traffic:
        one = shop.deploy("1", target, {"BeforeAllowTraffic": shop.hook("Succeeded")}, description="healthy")
        wait_until(lambda: shop.alias() == ("1", {target: 0.1}), what="ten percent")
        info = shop.over(one)
    assert (info["status"], shop.alias()) == ("Succeeded", (target, {}))
    assert (info["creator"], info["description"], info["deploymentConfigName"]) == ("user", "healthy", CANARY)
    assert info["createTime"] <= info["startTime"] < info["completeTime"]
    assert (info["completeTime"] - info["startTime"]).total_seconds() >= 300
    events = shop.target(one)["lifecycleEvents"]
    assert [event["status"] for event in events] == ["Succeeded"] * 3
    assert not traffic.broken
    assert {error for _, error in traffic.replies} == {None}


def test_a_bad_canary_is_caught_by_the_alarm_and_taken_back(guarded) -> None:
    shop = guarded
    target = shop.publish(BAD)
    with Traffic(shop) as traffic:
        one = shop.deploy("1", target)
        info = shop.over(one)
        assert (info["status"], shop.alias()) == ("Stopped", ("1", {}))
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert f"<{shop.name}>" in info["errorInformation"]["message"]
    back = shop.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == one
    # No request ever got an error that the function itself did not produce.
    assert not traffic.broken
    assert {version for version, error in traffic.replies if error} == {target}


def test_an_alarm_in_alarm_at_the_start_stops_it_at_once(guarded) -> None:
    shop = guarded
    target = shop.publish(GOOD)
    metrics = shop.server.client("cloudwatch")
    metrics.put_metric_alarm(
        AlarmName=shop.name,
        Namespace="Shop",
        MetricName="Nothing",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    metrics.set_alarm_state(AlarmName=shop.name, StateValue="ALARM", StateReason="test")
    info = shop.over(shop.deploy("1", target))
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert "already when the deployment started" in info["errorInformation"]["message"]
    off = {"overrideAlarmConfiguration": {"enabled": False, "alarms": []}, "deploymentConfigName": AT_ONCE}
    assert shop.over(shop.deploy("1", target, **off))["status"] == "Succeeded"


def test_a_hook_that_reports_failed_or_does_not_exist_fails_it(shop) -> None:
    target = shop.publish(GOOD)
    for hook, words in (
        (shop.hook("Failed"), "reported Failed"),
        (f"{shop.name}-nowhere", "does not exist"),
        (shop.function(f"{shop.name}-broken", BAD), "bad release"),
    ):
        info = shop.over(shop.deploy("1", target, {"BeforeAllowTraffic": hook}))
        assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HOOK_EXECUTION_FAILURE")
        assert words in info["errorInformation"]["message"]
        assert shop.alias() == ("1", {})
    info = shop.over(
        shop.deploy("1", target, {"AfterAllowTraffic": f"{shop.name}-hook-failed"}, deploymentConfigName=AT_ONCE)
    )
    assert (info["status"], shop.alias()) == ("Failed", ("1", {}))


def test_a_silent_hook_times_out_after_an_hour(make_server, name) -> None:
    shop = Shop(make_server("--clock-speed", "1000"), name)
    target = shop.publish(GOOD)
    one = shop.deploy("1", target, {"BeforeAllowTraffic": shop.function(f"{shop.name}-mute", GOOD)})
    info = shop.over(one)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "TIMEOUT")
    assert (info["completeTime"] - info["startTime"]).total_seconds() >= 3600


def test_stop_and_overlap(shop) -> None:
    target, other = shop.publish(GOOD), shop.publish(GOOD)
    one = shop.deploy("1", target)
    with pytest.raises(shop.deployments.exceptions.DeploymentLimitExceededException, match=one):
        shop.deploy("1", other)
    wait_until(lambda: shop.alias() == ("1", {target: 0.1}), what="ten percent")
    assert shop.deployments.stop_deployment(deploymentId=one, autoRollbackEnabled=True)["status"] == "Succeeded"
    assert (shop.info(one)["status"], shop.alias()) == ("Stopped", ("1", {}))
    with pytest.raises(shop.deployments.exceptions.DeploymentAlreadyCompletedException):
        shop.deployments.stop_deployment(deploymentId=one)


def test_an_alias_moved_by_hand_fails_it(shop) -> None:
    target, other = shop.publish(GOOD), shop.publish(GOOD)
    one = shop.deploy("1", target)
    wait_until(lambda: shop.alias() == ("1", {target: 0.1}), what="ten percent")
    shop.functions.update_alias(
        FunctionName=shop.name, Name="live", FunctionVersion=other, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    info = shop.over(one)
    assert (info["status"], shop.alias()) == ("Failed", (other, {}))
    assert "Someone else changed the alias" in info["errorInformation"]["message"]


BROKEN = {
    "nothing": "",
    "text": "hello",
    "json": '{"version": 0.0',
    "yaml": "version: [",
    "bomb": "a: &a [x]\nb: [*a, *a]\n",
    "deep": "[" * 5000,
    "huge": "x" * 100_000,
    "binary": "\x00\x01",
    "no resources": "version: 0.0\n",
    "latest": json.dumps(
        {
            "version": 0.0,
            "Resources": [
                {
                    "f": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {"Name": "f", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "$LATEST"},
                    }
                }
            ],
        }
    ),
}


def test_broken_appspecs_are_refused_and_leave_nothing(shop) -> None:
    for kind, member in (("AppSpecContent", "appSpecContent"), ("String", "string")):
        for name, content in BROKEN.items():
            with pytest.raises(ClientError) as refused:
                shop.deployments.create_deployment(
                    **shop.group, revision={"revisionType": kind, member: {"content": content}}
                )
            assert refused.value.response["Error"]["Code"] == "InvalidRevisionException", name
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, name
    assert shop.deployments.list_deployments(**shop.group)["deployments"] == []


def test_the_catalog_over_the_wire(shop) -> None:
    found = shop.deployments.get_deployment_group(**shop.group)["deploymentGroupInfo"]
    assert (found["deploymentStyle"], found["autoRollbackConfiguration"]["events"]) == (STYLE, ALL_EVENTS)
    assert "alarmConfiguration" not in found
    pages = shop.deployments.get_paginator("list_deployment_configs").paginate()
    names = {name for page in pages for name in page["deploymentConfigsList"]}
    assert {CANARY, AT_ONCE, "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"} <= names
    shop.deployments.create_deployment_config(
        deploymentConfigName=shop.name,
        computePlatform="Lambda",
        trafficRoutingConfig={
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 1},
        },
    )
    target = shop.publish(GOOD)
    one = shop.deploy("1", target, deploymentConfigName=shop.name)
    waiter = shop.deployments.get_waiter("deployment_successful")
    waiter.wait(deploymentId=one, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert shop.alias() == (target, {})
    listed = shop.deployments.list_deployment_targets(deploymentId=one)
    assert listed["targetIds"] == [f"{shop.name}:live"]
    many = shop.deployments.batch_get_deployments(deploymentIds=[one])["deploymentsInfo"]
    assert many[0]["deploymentOverview"]["Succeeded"] == 1


def test_the_timeline_and_the_way_back_from_the_command_line(shop) -> None:
    target = shop.publish(GOOD)
    shop.over(shop.deploy("1", target, deploymentConfigName=AT_ONCE, description="faster search"))
    live = json.loads(shop.server.cli("live", f"{shop.name}:live", "--json").stdout)
    assert (live["version"], live["why"], live["last_known_good"]) == (target, "faster search", "1")
    done = shop.server.cli("rollback", f"{shop.name}:live", "--reason", "too fast", "--yes", "--json")
    assert json.loads(done.stdout)["version"] == "1"
    assert shop.alias() == ("1", {})
    asked = ("timeline", "--since", "1d", "--component", f"lambda/{shop.name}", "--json")
    markers = json.loads(shop.server.cli(*asked).stdout)["markers"]
    assert [marker["kind"] for marker in markers][:2] == ["rollback", "deployment"]
    assert (markers[0]["reason"], markers[0]["undoes"]) == ("too fast", markers[1]["id"])
    refusal = shop.server.cli("rollback", f"{shop.name}:live", "--reason", "again", "--yes", check=False)
    assert refusal.returncode != 0
