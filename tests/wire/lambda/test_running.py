"""Running functions through unmodified boto3: outcomes, logs, metrics, throttling, code that calls Penstock back."""

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from running import ROLE, wait_until, zip_of

BODY = "def handler(event, context):\n    {}\n"


def invoke(server, function, payload=b"{}", **options):
    reply = server.client("lambda").invoke(FunctionName=function, Payload=payload, **options)
    return reply, reply["Payload"].read()


@pytest.mark.parametrize(
    ("source", "error_type"),
    [
        (BODY.format("raise ValueError('boom')"), "ValueError"),
        (BODY.format("import time; time.sleep(30)"), "Sandbox.Timedout"),
        (BODY.format("import os; os._exit(9)"), "Runtime.ExitError"),
        (BODY.format("return {1}"), "Runtime.MarshalError"),
        (BODY.format("return 'x' * 7_000_000"), "Function.ResponseSizeTooLarge"),
        ("import not_there\n", "Runtime.ImportModuleError"),
        ("x = 1\n", "Runtime.HandlerNotFound"),
    ],
    ids=lambda value: value if value[0].isupper() else "",
)
def test_function_errors(server, make_function, source, error_type):
    function = make_function(source, Timeout=1)
    reply, body = invoke(server, function, LogType="Tail")
    assert (reply["StatusCode"], reply["FunctionError"], reply["ExecutedVersion"]) == (200, "Unhandled", "$LATEST")
    assert json.loads(body)["errorType"] == error_type
    tail = base64.b64decode(reply["LogResult"]).decode()
    assert f"REPORT RequestId: {reply['ResponseMetadata']['RequestId']}\tDuration: " in tail


def test_output_is_in_cloudwatch_logs(server, make_function):
    function = make_function(
        "def handler(event, context):\n    print('said', event['n'])\n    return context.log_stream_name\n"
    )
    _, body = invoke(server, function, b'{"n": 42}')
    logs = server.client("logs")

    def messages():
        try:
            found = logs.get_log_events(logGroupName=f"/aws/lambda/{function}", logStreamName=json.loads(body))
        except logs.exceptions.ResourceNotFoundException:
            return None
        said = [event["message"] for event in found["events"]]
        return said if any(line.startswith("REPORT") for line in said) else None

    said = wait_until(messages, 10, what="the log lines")
    assert [line.split(" ")[0].strip() for line in said] == ["INIT_START", "START", "said", "END", "REPORT"]
    assert said[2].strip() == "said 42"


def test_invocations_are_in_cloudwatch_metrics(server, make_function):
    function = make_function(BODY.format("return 1 / event"))
    invoke(server, function, b"1")
    invoke(server, function, b"0")
    cloudwatch = server.client("cloudwatch")

    def sums():
        now = datetime.now(UTC)
        answers = {}
        for metric in ("Invocations", "Errors"):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": function}],
                StartTime=now - timedelta(minutes=10),
                EndTime=now + timedelta(minutes=10),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            answers[metric] = sum(point["Sum"] for point in points)
        return answers == {"Invocations": 2.0, "Errors": 1.0}

    wait_until(sums, 15, what="the metrics")


def test_reserved_concurrency_throttles_and_zero_stops_every_qualifier(server, make_function):
    function = make_function(BODY.format("import time; time.sleep(event)"), Timeout=5)
    client = server.client("lambda")
    client.publish_version(FunctionName=function)
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(invoke, server, function, b"2") for _ in range(6)]
        refusals = [failure for call in calls if (failure := call.exception()) is not None]
    assert 1 <= len(refusals) < 6
    assert {type(failure).__name__ for failure in refusals} == {"TooManyRequestsException"}
    error = refusals[0].response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert error["Error"]["Code"] == "TooManyRequestsException"
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    for qualifier in ("$LATEST", "1"):
        with pytest.raises(ClientError, match="TooManyRequests"):
            invoke(server, function, b"0", Qualifier=qualifier)
    client.delete_function_concurrency(FunctionName=function)
    assert invoke(server, function, b"0")[1] == b"null"


def test_function_code_reaches_penstock_with_its_own_keys(server, make_function):
    source = (
        "import boto3\ndef handler(event, context):\n"
        "    found = boto3.client('lambda').get_function(FunctionName=context.function_name)\n"
        "    return found['Configuration']['Handler']\n"
    )
    function = make_function(source, Timeout=20, MemorySize=512)
    reply, body = invoke(server, function)
    assert "FunctionError" not in reply, body
    assert json.loads(body) == "app.handler"


def test_a_killed_server_leaves_no_process_and_runs_the_function_again_after_a_restart(make_server):
    server = make_server()
    server.client("lambda").create_function(
        FunctionName="orders",
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": "import os\ndef handler(event, context):\n    return os.getpid()\n"})},
    )
    server.client("lambda").get_waiter("function_active_v2").wait(FunctionName="orders")
    invoke(server, "orders")
    (pid,) = (each["pid"] for each in json.loads(server.cli("status", "--json").stdout)["environments"])
    os.kill(pid, 0)
    server.kill()
    status = Path(f"/proc/{pid}/status")
    wait_until(lambda: not status.exists() or "\nState:\tZ" in status.read_text(), 10, what="the environment's end")
    server.start()
    invoke(server, "orders")
    assert [each["pid"] for each in json.loads(server.cli("status", "--json").stdout)["environments"]] != [pid]
