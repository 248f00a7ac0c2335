"""CloudWatch metrics through unmodified boto3."""

import datetime as dt
import math

import pytest
from botocore.exceptions import ClientError

UTC = dt.UTC


@pytest.fixture
def client(server):
    return server.client("cloudwatch")


def minute() -> dt.datetime:
    return dt.datetime.now(UTC).replace(second=0, microsecond=0)


def test_what_is_put_is_listed_and_read_back(client, name) -> None:
    at = minute() - dt.timedelta(minutes=3)
    dimensions = [{"Name": "Shop", "Value": "Zurich"}]
    for second in range(3):
        client.put_metric_data(
            Namespace=name,
            MetricData=[
                {"MetricName": "Latency", "Dimensions": dimensions, "Timestamp": at + dt.timedelta(seconds=second),
                 "Values": [1.0, 20.0, 300.5], "Counts": [10, 5, 1], "Unit": "Milliseconds"},
                {"MetricName": "Orders", "Value": 2, "Timestamp": at + dt.timedelta(minutes=second)},
            ],
        )  # fmt: skip
    listed = client.list_metrics(Namespace=name, MetricName="Latency")["Metrics"]
    assert listed == [{"Namespace": name, "MetricName": "Latency", "Dimensions": dimensions}]

    span = {"StartTime": at, "EndTime": at + dt.timedelta(minutes=3)}
    found = client.get_metric_statistics(
        Namespace=name,
        MetricName="Latency",
        Dimensions=dimensions,
        Period=60,
        Statistics=["Sum", "SampleCount"],
        **span,
    )
    assert found["Label"] == "Latency"
    assert found["Datapoints"] == [{"Timestamp": at, "SampleCount": 48.0, "Sum": 3 * 410.5, "Unit": "Milliseconds"}]
    extended = client.get_metric_statistics(
        Namespace=name,
        MetricName="Latency",
        Dimensions=dimensions,
        Period=60,
        ExtendedStatistics=["p50", "p99"],
        **span,
    )
    assert extended["Datapoints"][0]["ExtendedStatistics"] == {"p50": 1.0, "p99": 300.5}

    stat = {"Metric": {"Namespace": name, "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
    data = client.get_metric_data(
        MetricDataQueries=[
            {"Id": "orders", "MetricStat": stat, "ReturnData": False},
            {"Id": "total", "Expression": "RUNNING_SUM(orders)", "Label": "so far"},
        ],
        ScanBy="TimestampAscending",
        **span,
    )
    result = data["MetricDataResults"][0]
    assert (result["Id"], result["Label"], result["StatusCode"]) == ("total", "so far", "Complete")
    assert result["Values"] == [2.0, 4.0, 6.0]
    assert result["Timestamps"] == [at + dt.timedelta(minutes=n) for n in range(3)]


def test_paginators_come_to_an_end(client, name) -> None:
    data = [{"MetricName": f"m{n}", "Value": 1} for n in range(700)]
    client.put_metric_data(Namespace=name, MetricData=data)
    pages = list(client.get_paginator("list_metrics").paginate(Namespace=name))
    assert [len(page["Metrics"]) for page in pages] == [500, 200]
    queries = [
        {
            "Id": f"m{n}",
            "MetricStat": {"Metric": {"Namespace": name, "MetricName": f"m{n}"}, "Period": 60, "Stat": "Sum"},
        }
        for n in range(20)
    ]
    span = {"StartTime": minute() - dt.timedelta(minutes=5), "EndTime": minute() + dt.timedelta(minutes=5)}
    paginator = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, PaginationConfig={"PageSize": 7}, **span
    )
    results = [result for page in paginator for result in page["MetricDataResults"] if result["Values"]]
    assert [result["Id"] for result in results] == [f"m{n}" for n in range(20)]


@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        (
            "put_metric_data",
            {"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "m", "Value": 1}]},
            "InvalidParameterValue",
        ),
        (
            "put_metric_data",
            {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": math.nan}]},
            "InvalidParameterValue",
        ),
        (
            "put_metric_data",
            {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1, "Values": [1]}]},
            "InvalidParameterCombination",
        ),
        ("put_metric_data", {"Namespace": "N", "MetricData": [{"MetricName": "m"}]}, "MissingParameter"),
        (
            "put_metric_data",
            {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1, "Timestamp": 0}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_refusals_have_aws_s_codes(client, call, params, code) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_expression_errors_say_where(client) -> None:
    queries = [{"Id": "e1", "Expression": "1 + m9"}]
    with pytest.raises(ClientError, match=r"unknown id 'm9' at position 5"):
        client.get_metric_data(MetricDataQueries=queries, StartTime=minute() - dt.timedelta(hours=1), EndTime=minute())


def test_a_restart_keeps_the_numbers(make_server) -> None:
    server = make_server()
    at = minute()
    server.client("cloudwatch").put_metric_data(
        Namespace="Kept", MetricData=[{"MetricName": "m", "Value": 7, "Timestamp": at}]
    )
    assert server.stop() == 0
    span = {"StartTime": at, "EndTime": at + dt.timedelta(minutes=1), "Period": 60}
    client = make_server().client("cloudwatch")
    found = client.get_metric_statistics(Namespace="Kept", MetricName="m", Statistics=["Sum"], **span)
    assert [point["Sum"] for point in found["Datapoints"]] == [7.0]
