"""A server stops or starts while functions are at work: they reach its API all the same, and nobody pays for it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from running import HELLO, ROLE, RunningServer, wait_until, zip_of

SLOW = """
import boto3, time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    boto3.client("logs").create_log_stream(logGroupName="/ran", logStreamName=event["id"])
"""
HOOK = """
import boto3, time
def handler(event, context):
    time.sleep(4)
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded",
    )
"""
APPSPEC = (
    '{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":"f","Alias":"live",'
    '"CurrentVersion":"1","TargetVersion":"2"}}}],"Hooks":[{"BeforeAllowTraffic":"hook"}]}'
)


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest):
    running = RunningServer(tmp_path / "data", *request.param).start()
    yield running
    running.stop()


LEVELS = pytest.mark.parametrize(
    "server", [[], ["--isolation", "process"]], ids=["isolated", "processes"], indirect=True
)


def create(server: RunningServer, name: str, source: str) -> None:
    functions = server.client("lambda")
    settings: dict[str, Any] = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Timeout": 20}
    functions.create_function(FunctionName=name, Code={"ZipFile": zip_of({"app.py": source})}, **settings)
    functions.get_waiter("function_active_v2").wait(FunctionName=name)


@LEVELS
def test_events_delivered_at_the_start_reach_the_api(server: RunningServer):
    server.client("logs").create_log_group(logGroupName="/ran")
    create(server, "f", SLOW)
    for number in range(5):
        payload = f'{{"id": "event-{number}", "sleep": 2}}'.encode()
        server.client("lambda").invoke(FunctionName="f", InvocationType="Event", Payload=payload)
    server.kill()
    server.start()
    logs = server.client("logs")
    # A failed attempt would come again only after a minute.
    wait_until(lambda: len(logs.describe_log_streams(logGroupName="/ran")["logStreams"]) == 5, 30, what="five runs")


@LEVELS
def test_a_restart_in_the_middle_of_a_hook_does_not_fail_the_deployment(server: RunningServer):
    functions, deploy = server.client("lambda"), server.client("codedeploy")
    create(server, "hook", HOOK)
    create(server, "slow", "import time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n")
    create(server, "f", HELLO)
    functions.publish_version(FunctionName="f")
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    functions.update_function_configuration(FunctionName="f", Description="two")
    functions.get_waiter("function_updated_v2").wait(FunctionName="f")
    functions.publish_version(FunctionName="f")
    deploy.create_application(applicationName="shop", computePlatform="Lambda")
    style = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
    group = {"applicationName": "shop", "deploymentGroupName": "g"}
    deploy.create_deployment_group(
        **group,
        serviceRoleArn=ROLE,
        deploymentStyle=style,
        deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
    )
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": APPSPEC}}
    made = deploy.create_deployment(**group, revision=revision)["deploymentId"]
    wait_until(lambda: is_busy(server, "hook"), what="the hook at work")
    with ThreadPoolExecutor(1) as thread:  # a caller that the server waits for while it stops
        caller = thread.submit(functions.invoke, FunctionName="slow", Payload=b'{"sleep": 8}')
        wait_until(lambda: is_busy(server, "slow"), what="the caller's function at work")
        assert server.stop() == 0
        assert caller.result()["StatusCode"] == 200
    server.start()

    def status() -> str:
        return str(server.client("codedeploy").get_deployment(deploymentId=made)["deploymentInfo"]["status"])

    wait_until(lambda: status() not in ("Created", "InProgress"), 30, what="the end of the deployment")
    assert status() == "Succeeded", deploy.get_deployment(deploymentId=made)["deploymentInfo"].get("errorInformation")
    assert functions.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "2"


def is_busy(server: RunningServer, function: str) -> bool:
    environments = json.loads(server.cli("status", "--json").stdout)["environments"]
    return any(one["function"] == function and one["state"] == "busy" for one in environments)
