"""CloudWatch Logs through unmodified boto3: a function's own lines, lines put by hand, paging, search, a restart."""

import time

import pytest
from botocore.exceptions import ClientError

from running import wait_until

PRINTS = "def handler(event, context):\n    print('order', event['id'])\n    return event['id']\n"


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def logs(server):
    return server.client("logs")


@pytest.fixture
def group(logs, name):
    logs.create_log_group(logGroupName=name, tags={"made-by": "test"})
    yield name
    logs.delete_log_group(logGroupName=name)


def put(logs, group, stream, *messages) -> None:
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": now_ms(), "message": message} for message in messages],
    )


def messages(pages) -> list[str]:
    return [event["message"] for page in pages for event in page["events"]]


def test_a_function_writes_its_log(server, logs, make_function) -> None:
    function = make_function(PRINTS)
    for number in range(3):
        server.client("lambda").invoke(FunctionName=function, Payload=b'{"id": %d}' % number)
    group = f"/aws/lambda/{function}"

    def found():
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="order")
        return [text.strip() for text in messages(pages)]

    wait_until(lambda: len(found()) == 3, what="three printed lines")
    assert sorted(found()) == ["order 0", "order 1", "order 2"]
    streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
    kinds = [event["message"].split()[0] for event in events["events"]]
    assert {"START", "END", "REPORT"} <= set(kinds)


def test_every_event_comes_once_through_the_paginators(logs, group) -> None:
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        put(logs, group, stream, *[f"{stream}{number}" for number in range(25)])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 7})
    everything = messages(pages)
    assert sorted(everything) == sorted(f"{stream}{number}" for stream in "ab" for number in range(25))
    streams = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert [stream["logStreamName"] for page in streams for stream in page["logStreams"]] == ["a", "b"]


def test_the_forward_token_ends_where_the_stream_ends(logs, group) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    put(logs, group, "s", *[f"m{number}" for number in range(10)])
    seen, token = [], {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True, limit=4, **token)
        seen += [event["message"] for event in page["events"]]
        if token and token["nextToken"] == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
    assert seen == [f"m{number}" for number in range(10)]


def test_json_patterns_find_what_structured_logs_hold(logs, group) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    put(
        logs,
        group,
        "s",
        '{"level": "ERROR", "latency": 120}',
        '{"level": "ERROR", "latency": 80}',
        "ERROR in plain text",
    )
    page = logs.filter_log_events(logGroupName=group, filterPattern='{ $.level = "ERROR" && $.latency > 100 }')
    assert messages([page]) == ['{"level": "ERROR", "latency": 120}']


REFUSALS = {
    "a group twice": ("create_log_group", {}, "ResourceAlreadyExistsException"),
    "a retention that is none": ("put_retention_policy", {"retentionInDays": 2}, "InvalidParameterException"),
    "a stream that is not there": ("get_log_events", {"logStreamName": "absent"}, "ResourceNotFoundException"),
    "a malformed pattern": ("filter_log_events", {"filterPattern": "{ $.a ="}, "InvalidParameterException"),
    "a made-up token": ("filter_log_events", {"nextToken": "made-up"}, "InvalidParameterException"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(logs, group, case) -> None:
    operation, params, code = REFUSALS[case]
    with pytest.raises(ClientError) as refused:
        getattr(logs, operation)(logGroupName=group, **params)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_settings_and_tags(logs, group) -> None:
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["retentionInDays"] == 30
    logs.tag_resource(resourceArn=shown["logGroupArn"], tags={"more": "yes"})
    logs.untag_resource(resourceArn=shown["logGroupArn"], tagKeys=["made-by"])
    assert logs.list_tags_for_resource(resourceArn=shown["logGroupArn"])["tags"] == {"more": "yes"}
    logs.delete_retention_policy(logGroupName=group)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "retentionInDays" not in shown


def test_rejected_events_are_told(logs, group) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    old = now_ms() - 15 * 24 * 3600 * 1000
    reply = logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": old, "message": "old"}, {"timestamp": now_ms(), "message": "new"}],
    )
    assert reply["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert messages([logs.filter_log_events(logGroupName=group)]) == ["new"]


def test_what_was_put_survives_kill_9(make_server, name) -> None:
    server = make_server()
    logs = server.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    put(logs, name, "s", "acknowledged")
    server.kill()
    server.start()
    assert messages([server.client("logs").filter_log_events(logGroupName=name)]) == ["acknowledged"]
