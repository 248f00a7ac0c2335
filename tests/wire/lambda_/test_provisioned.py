"""Provisioned concurrency through unmodified boto3: kept ready, spilled over, shifted with an alias, made anew."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from running import ROLE, wait_until, zip_of

SOURCE = (
    "import os, time\n# {}\nborn = time.time()\n"
    "def handler(event, context):\n"
    "    if event.get('die'):\n        os._exit(1)\n"
    "    time.sleep(event.get('sleep', 0))\n"
    "    kind = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    "    return {{'kind': kind, 'born': born, 'version': context.function_version}}\n"
)


def put(client, function, qualifier, count):
    return client.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def get(client, function, qualifier):
    return client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)


def until(client, function, qualifier, status="READY"):
    def there():
        found = get(client, function, qualifier)
        return found if found["Status"] == status else None

    return wait_until(there, 30, what=f"{function}:{qualifier} {status}")


def invoke(client, function, qualifier, sleep=0.0):
    payload = json.dumps({"sleep": sleep})
    reply = client.invoke(FunctionName=function, Qualifier=qualifier, Payload=payload, LogType="Tail")
    assert "FunctionError" not in reply, reply["Payload"].read()
    return json.loads(reply["Payload"].read()), base64.b64decode(reply["LogResult"]).decode()


def publish(client, function, marker):
    code = zip_of({"app.py": SOURCE.format(marker)})
    client.update_function_code(FunctionName=function, ZipFile=code)
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    return client.publish_version(FunctionName=function)["Version"]


@pytest.fixture
def function(server, make_function):
    """Version 1 behind `live`."""
    name, client = make_function(SOURCE.format("one"), Timeout=10), server.client("lambda")
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def metric(server, function, name, resource="live"):
    now = datetime.now(UTC)
    points = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[
            {"Name": "FunctionName", "Value": function},
            {"Name": "Resource", "Value": f"{function}:{resource}"},
        ],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=60,
        Statistics=["Sum", "Maximum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points), max((point["Maximum"] for point in points), default=0)


def test_the_life_of_a_configuration(server, function):
    client = server.client("lambda")
    made = put(client, function, "live", 3)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["Status"], made["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 3)
    ready = until(client, function, "live")
    assert ready["AllocatedProvisionedConcurrentExecutions"] == ready["AvailableProvisionedConcurrentExecutions"] == 3
    answer, tail = invoke(client, function, "live")
    assert (answer["kind"], "Init Duration" in tail) == ("provisioned-concurrency", False)
    (listed,) = client.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"]
    assert (listed["FunctionArn"].rsplit(":", 1)[1], listed["Status"]) == ("live", "READY")
    client.delete_provisioned_concurrency_config(FunctionName=function, Qualifier="live")
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        get(client, function, "live")
    assert client.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"] == []


def test_more_calls_than_provisioned_spill_over(server, function):
    client = server.client("lambda")
    put(client, function, "live", 2)
    until(client, function, "live")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: invoke(client, function, "live", 1.0)[0], range(4)))
    kinds = sorted(answer["kind"] for answer in answers)
    assert kinds == ["on-demand"] * 2 + ["provisioned-concurrency"] * 2
    spilled = "ProvisionedConcurrencySpilloverInvocations"
    wait_until(lambda: metric(server, function, spilled)[0] == 2, 15, what="the spill-over metric")
    assert metric(server, function, "ProvisionedConcurrencyInvocations")[0] == 2
    assert metric(server, function, "ProvisionedConcurrentExecutions")[1] == 2
    assert metric(server, function, "ProvisionedConcurrencyUtilization")[1] == 1.0


def test_what_crashes_is_made_anew(server, function):
    client = server.client("lambda")
    put(client, function, "1", 1)
    until(client, function, "1")
    first, _ = invoke(client, function, "1")
    crashed = client.invoke(FunctionName=function, Qualifier="1", Payload=b'{"die": true}')
    assert json.load(crashed["Payload"])["errorType"] == "Runtime.ExitError"
    until(client, function, "1")
    answer, tail = invoke(client, function, "1")
    assert (answer["kind"], "Init Duration" in tail) == ("provisioned-concurrency", False)
    assert answer["born"] != first["born"]


def test_an_alias_shift_finds_both_versions_warm(server, function):
    client = server.client("lambda")
    put(client, function, "live", 4)
    until(client, function, "live")
    second = publish(client, function, "two")
    client.update_alias(
        FunctionName=function, Name="live", RoutingConfig={"AdditionalVersionWeights": {second: 0.5}}
    )  # fmt: skip
    seen = {}

    def both():
        answer, tail = invoke(client, function, "live")
        seen.setdefault(answer["version"], []).append((answer["kind"], "Init Duration" in tail))
        return len(seen) == 2

    wait_until(both, 30, what="traffic to both versions")
    assert set(seen[second]) == {("provisioned-concurrency", False)}
    assert set(seen["1"]) == {("provisioned-concurrency", False)}
    until(client, function, "live")
    client.update_alias(
        FunctionName=function, Name="live", FunctionVersion=second, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    until(client, function, "live")
    answer, tail = invoke(client, function, "live")
    assert (answer["version"], answer["kind"], "Init Duration" in tail) == (second, "provisioned-concurrency", False)


def test_a_failing_init_is_told(server, make_function):
    client = server.client("lambda")
    function = make_function("import not_there\n")
    client.publish_version(FunctionName=function)
    put(client, function, "1", 2)
    failed = until(client, function, "1", "FAILED")
    assert failed["StatusReason"].startswith("FUNCTION_ERROR_INIT_FAILURE: Runtime.ImportModuleError")
    assert failed["AvailableProvisionedConcurrentExecutions"] == 0


def test_it_is_warm_again_after_a_restart(make_server):
    server = make_server()
    client = server.client("lambda")
    code = {"ZipFile": zip_of({"app.py": SOURCE.format("one")})}
    client.create_function(
        FunctionName="orders", Runtime="python3.11", Role=ROLE, Handler="app.handler", Code=code, Publish=True
    )
    client.get_waiter("published_version_active").wait(FunctionName="orders", Qualifier="1")
    put(client, "orders", "1", 2)
    until(client, "orders", "1")
    server.kill()
    server.start()
    client = server.client("lambda")
    ready = until(client, "orders", "1")
    assert ready["AvailableProvisionedConcurrentExecutions"] == 2
    answer, tail = invoke(client, "orders", "1")
    assert (answer["kind"], "Init Duration" in tail) == ("provisioned-concurrency", False)


@pytest.mark.parametrize(
    ("qualifier", "count", "code", "words"),
    [
        ("$LATEST", 1, "InvalidParameterValueException", "unpublished function versions"),
        ("9", 1, "ResourceNotFoundException", "Function not found"),
        ("live", 901, "InvalidParameterValueException", "below its minimum value of [100]"),
    ],
)
def test_refusals(server, function, qualifier, count, code, words):
    with pytest.raises(ClientError) as refused:
        put(server.client("lambda"), function, qualifier, count)
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]
