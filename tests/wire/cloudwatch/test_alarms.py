"""CloudWatch alarms through unmodified boto3; evaluation on a server whose minutes take a second."""

import json
import time

import pytest
from botocore.exceptions import ClientError, WaiterError

RULE = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}


@pytest.fixture
def client(server):
    return server.client("cloudwatch")


@pytest.fixture
def fast(fast_server):
    return fast_server.client("cloudwatch")


def put(client, name: str, **more) -> None:
    watch = {"Namespace": name, "MetricName": "Errors", "Statistic": "Sum", "TreatMissingData": "notBreaching"}
    client.put_metric_alarm(AlarmName=name, **{**watch, **RULE, **more})


def state(client, name: str) -> str:
    found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return (found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"]


def wait_for(client, name: str, wanted: str) -> None:
    deadline = time.monotonic() + 20
    while state(client, name) != wanted:
        assert time.monotonic() < deadline, f"{name} is {state(client, name)}, not {wanted}"
        time.sleep(0.05)


def test_an_alarm_comes_and_goes_by_itself(fast, name) -> None:
    put(fast, name, DatapointsToAlarm=1)
    fast.put_composite_alarm(AlarmName=f"{name}-any", AlarmRule=f'ALARM("{name}")')
    wait_for(fast, name, "OK")
    wait_for(fast, f"{name}-any", "OK")
    fast.put_metric_data(Namespace=name, MetricData=[{"MetricName": "Errors", "Value": 3, "Unit": "Count"}])
    fast.get_waiter("alarm_exists").wait(AlarmNames=[name])
    wait_for(fast, f"{name}-any", "ALARM")
    wait_for(fast, name, "OK")  # nothing more is reported, and missing data does not breach
    history = fast.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    items = history["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]
    reason = json.loads(items[1]["HistoryData"])["newState"]["stateReason"]
    assert reason.startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0 (")
    assert reason.endswith(
        "was greater than or equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    fast.delete_alarms(AlarmNames=[f"{name}-any", name])
    with pytest.raises(WaiterError):
        fast.get_waiter("alarm_exists").wait(AlarmNames=[name], WaiterConfig={"Delay": 0, "MaxAttempts": 1})


def test_the_definition_comes_back_as_it_was_put(client, name) -> None:
    given = {
        "AlarmDescription": "too many",
        "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:page"],
        "Dimensions": [{"Name": "FunctionName", "Value": "orders"}],
        "Statistic": "Average",
        "EvaluateLowSampleCountPercentile": "ignore",
        "Unit": "Count",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "TreatMissingData": "breaching",
    }
    given.pop("Statistic")
    watch = {"Namespace": name, "MetricName": "Errors", "ExtendedStatistic": "p99.9"}
    client.put_metric_alarm(
        AlarmName=name, ActionsEnabled=False, Tags=[{"Key": "a", "Value": "b"}], **{**RULE, **watch, **given}
    )
    alarm = client.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"][0]
    expected = {**RULE, **watch, **given}
    assert {key: alarm[key] for key in expected} == expected
    assert alarm["AlarmArn"].endswith(f":alarm:{name}")
    assert alarm["ActionsEnabled"] is False
    assert client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    for_metric = client.describe_alarms_for_metric(
        Namespace=name, MetricName="Errors", Dimensions=given["Dimensions"], Unit="Count"
    )
    assert [one["AlarmName"] for one in for_metric["MetricAlarms"]] == [name]
    client.enable_alarm_actions(AlarmNames=[name])
    assert client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["ActionsEnabled"] is True


def test_a_state_set_by_hand(client, name) -> None:
    put(client, name)
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill", StateReasonData='{"who": "me"}')
    alarm = client.describe_alarms(AlarmNames=[name], StateValue="ALARM")["MetricAlarms"]
    assert [one["StateReason"] for one in alarm] in (["drill"], [])  # a minute may close right now


def test_pages_of_alarms_and_history(client, name) -> None:
    for number in range(5):
        put(client, f"{name}-{number}")
    alarms = client.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{name}-", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["MetricAlarms"]) for page in alarms] == [2, 2, 1]
    history = client.get_paginator("describe_alarm_history").paginate(
        AlarmName=f"{name}-1", PaginationConfig={"PageSize": 1}
    )
    assert "created" in [item["HistorySummary"] for page in history for item in page["AlarmHistoryItems"]][-1]


@pytest.mark.parametrize(
    ("call", "params", "code", "status"),
    [
        ("delete_alarms", {"AlarmNames": ["nobody"]}, "ResourceNotFound", 404),
        ("set_alarm_state", {"AlarmName": "nobody", "StateValue": "OK", "StateReason": "x"}, "ResourceNotFound", 404),
        ("put_composite_alarm", {"AlarmName": "c", "AlarmRule": "ALARM(nobody)"}, "ValidationError", 400),
        (
            "put_metric_alarm",
            {"AlarmName": "a", "Namespace": "N", "MetricName": "m", "Statistic": "Sum", **RULE, "Period": 61},
            "ValidationError",
            400,
        ),
        ("describe_alarms", {"NextToken": "_w"}, "InvalidNextToken", 400),
        (
            "list_tags_for_resource",
            {"ResourceARN": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:nobody"},
            "ResourceNotFoundException",
            404,
        ),
    ],
)
def test_refusals_have_aws_s_codes(client, call, params, code, status) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
