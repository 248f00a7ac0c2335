"""What a release stands on: a failing function puts the alarm on its alias into ALARM, and the numbers agree."""

import datetime as dt

import pytest
from botocore.exceptions import ClientError

from running import ROLE, wait_until, zip_of

SOURCE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    return "fine"
"""


@pytest.fixture
def alias(fast_server, name):
    functions = fast_server.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": SOURCE})},
        Publish=True,
    )
    functions.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    yield functions
    functions.delete_function(FunctionName=name)


def state(metrics, name: str) -> str:
    return metrics.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def test_errors_of_an_alias_alarm_by_rate(fast_server, alias, name) -> None:
    metrics = fast_server.client("cloudwatch")
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": f"{name}:live"}]

    def metric(query: str, metric_name: str) -> dict:
        watched = {"Namespace": "AWS/Lambda", "MetricName": metric_name, "Dimensions": dimensions}
        return {"Id": query, "MetricStat": {"Metric": watched, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    metrics.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=20.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        Metrics=[
            {"Id": "rate", "Expression": "100 * errors / calls", "ReturnData": True},
            metric("errors", "Errors"),
            metric("calls", "Invocations"),
        ],
    )
    for _ in range(5):
        alias.invoke(FunctionName=name, Qualifier="live", Payload=b"{}")
    wait_until(lambda: state(metrics, name) == "OK", what="OK")
    for number in range(20):
        alias.invoke(FunctionName=name, Qualifier="live", Payload=b'{"fail": true}' if number % 2 else b"{}")
    wait_until(lambda: state(metrics, name) == "ALARM", what="ALARM")

    now = metrics.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateUpdatedTimestamp"]
    span = {"StartTime": now - dt.timedelta(hours=2), "EndTime": now + dt.timedelta(hours=1), "Period": 10800}
    total = {"Namespace": "AWS/Lambda", "Statistics": ["Sum"], **span}
    for dims in (dimensions, dimensions[:1], [{"Name": "ExecutedVersion", "Value": "1"}, *dimensions]):
        for metric_name, expected in (("Invocations", 25.0), ("Errors", 10.0), ("Throttles", None)):
            points = metrics.get_metric_statistics(MetricName=metric_name, Dimensions=dims, **total)["Datapoints"]
            assert [point["Sum"] for point in points] == ([] if expected is None else [expected]), (metric_name, dims)
    duration = metrics.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Duration", Dimensions=dimensions, ExtendedStatistics=["p50", "p99"], **span
    )
    assert duration["Datapoints"][0]["Unit"] == "Milliseconds"
    assert duration["Datapoints"][0]["ExtendedStatistics"]["p50"] > 0
    metrics.delete_alarms(AlarmNames=[name])
    with pytest.raises(ClientError):
        metrics.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="gone")
