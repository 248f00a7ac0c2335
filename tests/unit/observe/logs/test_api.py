"""The Logs API: groups, streams, tags, putting and reading; refusals in AWS's words; a restart forgets nothing."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core.context import Scope
from penstock.core.paging import encode_token
from penstock.observe.logs.room import Logs
from penstock.observe.ports import LogLine

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:g"
NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")


def messages(result) -> list[str]:
    return [event["message"] for event in result["events"]]


def test_a_group_is_shown_as_it_was_made(call, clock) -> None:
    call("CreateLogGroup", logGroupName="g", kmsKeyId="key", tags={"team": "x"}, logGroupClass="INFREQUENT_ACCESS")
    call("PutRetentionPolicy", logGroupName="g", retentionInDays=14)
    assert call("DescribeLogGroups")["logGroups"] == [
        {
            "logGroupName": "g",
            "creationTime": int(clock.now() * 1000),
            "retentionInDays": 14,
            "metricFilterCount": 0,
            "arn": f"{ARN}:*",
            "logGroupArn": ARN,
            "storedBytes": 0,
            "kmsKeyId": "key",
            "logGroupClass": "INFREQUENT_ACCESS",
            "deletionProtectionEnabled": False,
        }
    ]


def test_groups_belong_to_their_account_and_region(call) -> None:
    call("CreateLogGroup", logGroupName="g")
    elsewhere = Scope("000000000000", "eu-west-1")
    call("CreateLogGroup", logGroupName="g", at=elsewhere)
    call("DeleteLogGroup", logGroupName="g", at=elsewhere)
    assert len(call("DescribeLogGroups")["logGroups"]) == 1


def test_paging_through_groups(call) -> None:
    names = [*[f"/aws/lambda/f{number:02d}" for number in range(7)], "other"]
    for name in names:
        call("CreateLogGroup", logGroupName=name)
    seen, token = [], {}
    while True:
        page = call("DescribeLogGroups", limit=3, **token)
        seen += [group["logGroupName"] for group in page["logGroups"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert seen == names


CHOICES = {
    "prefix": ({"logGroupNamePrefix": "/aws/"}, ["/aws/a", "/aws/b"]),
    "substring": ({"logGroupNamePattern": "B"}, ["B"]),
    "substring takes no wildcards": ({"logGroupNamePattern": "_"}, []),
    "class": ({"logGroupClass": "STANDARD"}, ["/aws/a", "/aws/b"]),
    "infrequent": ({"logGroupClass": "ESSENTIALS"}, ["B"]),
    "names and ARNs": ({"logGroupIdentifiers": ["B", ARN.replace(":g", ":/aws/a")]}, ["/aws/a", "B"]),
    "ARN of another account": ({"logGroupIdentifiers": ["arn:aws:logs:us-east-1:111111111111:log-group:B"]}, []),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choosing_groups(call, name) -> None:
    for group, log_class in {"/aws/a": "STANDARD", "/aws/b": "STANDARD", "B": "INFREQUENT_ACCESS"}.items():
        call("CreateLogGroup", logGroupName=group, logGroupClass=log_class)
    params, expected = CHOICES[name]
    assert [group["logGroupName"] for group in call("DescribeLogGroups", **params)["logGroups"]] == expected


def test_tags_by_both_families(call) -> None:
    call("CreateLogGroup", logGroupName="g", tags={"a": "1"})
    call("TagResource", resourceArn=ARN, tags={"b": "2"})
    call("TagLogGroup", logGroupName="g", tags={"a": "3"})
    assert call("ListTagsForResource", resourceArn=f"{ARN}:*") == {"tags": {"a": "3", "b": "2"}}
    call("UntagResource", resourceArn=ARN, tagKeys=["a", "absent"])
    call("UntagLogGroup", logGroupName="g", tags=["b"])
    assert call("ListTagsLogGroup", logGroupName="g") == {"tags": {}}


def test_a_protected_group_is_not_deleted(call, refused) -> None:
    call("CreateLogGroup", logGroupName="g", deletionProtectionEnabled=True)
    assert refused("DeleteLogGroup", logGroupName="g")[0] == "ValidationException"
    call("PutLogGroupDeletionProtection", logGroupIdentifier="g", deletionProtectionEnabled=False)
    call("DeleteLogGroup", logGroupName="g")


def test_a_name_used_again_shows_nothing_of_before(call, put) -> None:
    put((0, "before"))
    call("DeleteLogGroup", logGroupName="g")
    put((0, "after"))
    assert messages(call("FilterLogEvents", logGroupName="g")) == ["after"]


def test_a_stream_is_shown_with_its_times(call, put, clock) -> None:
    put((-5, "a"), (0, "b"))
    put((-9, "c"))
    now_ms = int(clock.now() * 1000)
    (stream,) = call("DescribeLogStreams", logGroupName="g")["logStreams"]
    assert stream["arn"] == f"{ARN}:log-stream:s"
    times = [
        stream[name] for name in ("firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime", "creationTime")
    ]
    assert times == [now_ms - 9, now_ms, now_ms, now_ms]


@pytest.mark.parametrize("order", ["LogStreamName", "LastEventTime"])
@pytest.mark.parametrize("descending", [False, True])
def test_paging_through_streams(call, put, order, descending) -> None:
    names = [f"s{number}" for number in range(7)]
    for number, name in enumerate(names):
        put((-(number % 3), "x"), stream=name)
    call("CreateLogStream", logGroupName="g", logStreamName="empty")
    seen, token = [], {}
    while True:
        page = call(
            "DescribeLogStreams", logGroupIdentifier=ARN, orderBy=order, descending=descending, limit=3, **token
        )
        seen += [
            stream["logStreamName"] if order == "LogStreamName" else stream["lastEventTimestamp"] or 0
            for stream in page["logStreams"]
        ]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert len(seen) == 8
    assert seen == sorted(seen, reverse=descending)


def test_streams_by_prefix(call, put) -> None:
    for name in ("2027/01/15/a", "2027/01/16/b"):
        put((0, "x"), stream=name)
    page = call("DescribeLogStreams", logGroupName="g", logStreamNamePrefix="2027/01/15/")
    assert [stream["logStreamName"] for stream in page["logStreams"]] == ["2027/01/15/a"]


REFUSALS = {
    "group twice": ("CreateLogGroup", {"logGroupName": "g"}, "ResourceAlreadyExistsException"),
    "group of AWS": ("CreateLogGroup", {"logGroupName": "aws/x"}, "InvalidParameterException"),
    "reserved tag": ("CreateLogGroup", {"logGroupName": "n", "tags": {"aws:x": "y"}}, "InvalidParameterException"),
    "stream twice": ("CreateLogStream", {"logGroupName": "g", "logStreamName": "s"}, "ResourceAlreadyExistsException"),
    "retention": ("PutRetentionPolicy", {"logGroupName": "g", "retentionInDays": 2}, "InvalidParameterException"),
    "prefix and pattern": (
        "DescribeLogGroups",
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
        "InvalidParameterException",
    ),
    "group token": ("DescribeLogGroups", {"nextToken": "é"}, "InvalidParameterException"),
    "stream token": (
        "DescribeLogStreams",
        {"logGroupName": "g", "orderBy": "LastEventTime", "nextToken": encode_token("x")},
        "InvalidParameterException",
    ),
    "prefix by time": (
        "DescribeLogStreams",
        {"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "x"},
        "InvalidParameterException",
    ),
    "both names of a group": (
        "FilterLogEvents",
        {"logGroupName": "g", "logGroupIdentifier": "g"},
        "InvalidParameterException",
    ),
    "no name of a group": ("FilterLogEvents", {}, "InvalidParameterException"),
    "names and prefix of streams": (
        "FilterLogEvents",
        {"logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
        "InvalidParameterException",
    ),
    "a malformed pattern": (
        "FilterLogEvents",
        {"logGroupName": "g", "filterPattern": "{"},
        "InvalidParameterException",
    ),
    "filter token": ("FilterLogEvents", {"logGroupName": "g", "nextToken": "x"}, "InvalidParameterException"),
    "filter token of rubbish": (
        "FilterLogEvents",
        {"logGroupName": "g", "nextToken": encode_token("f/12")},
        "InvalidParameterException",
    ),
    "events token": (
        "GetLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "nextToken": "f/x"},
        "InvalidParameterException",
    ),
    "tags of what has none": (
        "ListTagsForResource",
        {"resourceArn": "arn:aws:logs:us-east-1:0:x"},
        "ResourceNotFoundException",
    ),
    "too many tags": (
        "TagResource",
        {"resourceArn": ARN, "tags": {str(number): "" for number in range(51)}},
        "TooManyTagsException",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(put, refused, name) -> None:
    put((0, "x"))
    operation, params, code = REFUSALS[name]
    assert refused(operation, **params)[0] == code


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteLogGroup", {}),
        ("PutRetentionPolicy", {"retentionInDays": 1}),
        ("CreateLogStream", {"logStreamName": "s"}),
        ("DeleteLogStream", {"logStreamName": "s"}),
        ("DescribeLogStreams", {}),
        ("PutLogEvents", {"logStreamName": "s", "logEvents": [{"timestamp": 0, "message": "x"}]}),
        ("GetLogEvents", {"logStreamName": "s"}),
        ("FilterLogEvents", {}),
        ("ListTagsLogGroup", {}),
    ],
)
def test_a_group_that_is_not_there(refused, operation, params) -> None:
    assert refused(operation, logGroupName="absent", **params) == NO_GROUP


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteLogStream", {"logStreamName": "absent"}),
        ("PutLogEvents", {"logStreamName": "absent", "logEvents": [{"timestamp": 1_800_000_000_000, "message": "x"}]}),
        ("GetLogEvents", {"logStreamName": "absent"}),
        ("FilterLogEvents", {"logStreamNames": ["absent"]}),
    ],
)
def test_a_stream_that_is_not_there(call, refused, operation, params) -> None:
    call("CreateLogGroup", logGroupName="g")
    assert refused(operation, logGroupName="g", **params) == NO_STREAM


def test_rejected_events_are_told_and_the_others_stored(call, put) -> None:
    day_ms = 24 * 3600 * 1000
    result = put((-15 * day_ms, "old"), (0, "kept"), (3 * 3600 * 1000, "new"))
    info = {name: index for name, index in result["rejectedLogEventsInfo"].items() if index is not None}
    assert info == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert messages(call("FilterLogEvents", logGroupName="g")) == ["kept"]
    assert "rejectedLogEventsInfo" not in put((0, "fine"))


def test_nothing_of_a_batch_that_is_all_rejected_is_stored(call, put) -> None:
    put((-15 * 24 * 3600 * 1000, "old"))
    assert messages(call("FilterLogEvents", logGroupName="g")) == []


def test_lines_of_a_function_are_seen_at_once(call, logs, clock, scope) -> None:
    logs.sink.append(scope, "g", "s", [LogLine(clock.now(), "START"), LogLine(clock.now(), "END")])
    assert messages(call("FilterLogEvents", logGroupName="g")) == ["START", "END"]
    logs.sink.append(scope, "g", "s", [LogLine(clock.now(), "more")])
    result = call("GetLogEvents", logGroupName="g", logStreamName="s")
    assert messages(result) == ["START", "END", "more"]
    assert call("DescribeLogGroups")["logGroups"][0]["storedBytes"] == len("STARTENDmore") + 3 * 26


def test_get_log_events_begins_at_the_tail_or_the_head(call, put) -> None:
    put(*[(number, f"m{number}") for number in range(10)])
    stream = {"logGroupName": "g", "logStreamName": "s", "limit": 3}
    assert messages(call("GetLogEvents", **stream)) == ["m7", "m8", "m9"]
    assert messages(call("GetLogEvents", **stream, startFromHead=True)) == ["m0", "m1", "m2"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 12), limit=st.integers(1, 5), head=st.booleans())
def test_walking_a_stream_both_ways_sees_each_event_once(call, put, count, limit, head) -> None:
    call_deleting(call)
    put((0, "first"))
    call("DeleteLogStream", logGroupName="g", logStreamName="s")
    call("CreateLogStream", logGroupName="g", logStreamName="s")
    expected = [f"m{number}" for number in range(count)]
    if expected:
        put(*[(number // 2, message) for number, message in enumerate(expected)])
    stream = {"logGroupName": "g", "logStreamName": "s", "limit": limit}
    ahead, back = ("nextForwardToken", "nextBackwardToken") if head else ("nextBackwardToken", "nextForwardToken")
    page = call("GetLogEvents", **stream, startFromHead=head)
    seen = [messages(page)]
    while True:
        token = page[ahead]
        page = call("GetLogEvents", **stream, nextToken=token, startFromHead=head)
        if page[ahead] == token:
            break
        seen.append(messages(page))
    assert page["events"] == []
    assert [text for part in (seen if head else seen[::-1]) for text in part] == expected
    again = []
    for _ in range(count + 2):
        token = page[back]
        page = call("GetLogEvents", **stream, nextToken=token)
        again = messages(page) + again if head else again + messages(page)
        if page[back] == token:
            break
    assert again == expected


def call_deleting(call) -> None:
    if call("DescribeLogGroups")["logGroups"]:
        call("DeleteLogGroup", logGroupName="g")


def test_the_token_at_the_end_stays_and_finds_what_comes_later(call, put) -> None:
    put((0, "one"))
    stream = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
    token = call("GetLogEvents", **stream)["nextForwardToken"]
    for _ in range(2):
        page = call("GetLogEvents", **stream, nextToken=token)
        assert (page["events"], page["nextForwardToken"]) == ([], token)
    put((5, "two"))
    assert messages(call("GetLogEvents", **stream, nextToken=token)) == ["two"]


def test_the_end_time_is_excluded_by_get_and_included_by_filter(call, put, clock) -> None:
    put((0, "a"), (10, "b"))
    at = int(clock.now() * 1000)
    window = {"logGroupName": "g", "startTime": at, "endTime": at + 10}
    assert messages(call("GetLogEvents", logStreamName="s", **window)) == ["a"]
    assert messages(call("FilterLogEvents", **window)) == ["a", "b"]


@pytest.mark.parametrize(
    "params", [{"startTime": 2**62}, {"endTime": 2**62}, {"endTime": 0}, {"startTime": 9, "endTime": 1}]
)
def test_odd_times_are_no_error(call, put, params) -> None:
    put((0, "a"))
    call("FilterLogEvents", logGroupName="g", **params)
    call("GetLogEvents", logGroupName="g", logStreamName="s", **params)


@pytest.mark.parametrize("forwards", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_filtering_a_group_interleaves_its_streams(call, put, forwards, limit) -> None:
    put((0, "a0"), (4, "a4"), stream="a")
    put((2, "b2"), (6, "b6 hit"), stream="b")
    put((1, "c1"), (2, "c2 hit"), stream="c")
    seen, ids, token = [], set(), {}
    while True:
        page = call("FilterLogEvents", logGroupName="g", limit=limit, startFromHead=forwards, **token)
        seen += messages(page)
        ids |= {event["eventId"] for event in page["events"]}
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    expected = ["a0", "c1", "b2", "c2 hit", "a4", "b6 hit"]
    assert seen == (expected if forwards else expected[::-1])
    assert len(ids) == 6


FILTERS = {
    "by pattern": ({"filterPattern": "hit"}, ["c2 hit", "b6 hit"]),
    "by name": ({"logStreamNames": ["a", "c"]}, ["a0", "c2 hit"]),
    "by one name": ({"logStreamNames": ["b"]}, ["b6 hit"]),
    "one name of two is absent": ({"logStreamNames": ["b", "absent"]}, ["b6 hit"]),
    "by prefix": ({"logStreamNamePrefix": "b"}, ["b6 hit"]),
    "by a prefix of none": ({"logStreamNamePrefix": "z"}, []),
    "by ARN": ({"logGroupName": None, "logGroupIdentifier": ARN}, ["a0", "c2 hit", "b6 hit"]),
    "by a blank pattern": ({"filterPattern": " "}, ["a0", "c2 hit", "b6 hit"]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters(call, put, name) -> None:
    put((0, "a0"), stream="a")
    put((2, "c2 hit"), stream="c")
    put((6, "b6 hit"), stream="b")
    params, expected = FILTERS[name]
    given_params = {key: value for key, value in {"logGroupName": "g", **params}.items() if value is not None}
    result = call("FilterLogEvents", **given_params)
    assert messages(result) == expected
    assert all(event["logStreamName"] == event["message"][0] for event in result["events"])


def test_following_a_group_as_the_cli_does_misses_nothing(call, logs, clock, scope) -> None:
    """`aws logs tail --follow` asks from the last time it saw on and leaves out the event ids it saw."""
    seen, known, start = [], set(), int(clock.now() * 1000)
    for number in range(20):
        logs.sink.append(scope, "g", f"s{number % 3}", [LogLine(clock.now(), f"line {number}")])
        if number % 3 == 0:
            clock.move(0.002)
        for event in call("FilterLogEvents", logGroupName="g", startTime=start)["events"]:
            if event["eventId"] not in known:
                known.add(event["eventId"])
                seen.append(event["message"])
                start = event["timestamp"]
    assert seen == [f"line {number}" for number in range(20)]


def test_a_restart_forgets_nothing(store, clock, scope, call, put, logs) -> None:
    put((0, "stored"))
    logs.sink.append(scope, "g", "s", [LogLine(clock.now(), "buffered")])
    asyncio.run(logs.stop())
    again = Logs(store=store, clock=clock)
    asyncio.run(again.stop())
    assert messages(call("FilterLogEvents", logGroupName="g")) == ["stored", "buffered"]
