"""A logs room, and calls to it as the gateway would make them."""

import asyncio

import pytest

from penstock.core.context import Principal, RequestContext
from penstock.core.errors import ApiError
from penstock.observe.logs.room import Logs


@pytest.fixture
def logs(store, clock) -> Logs:
    return Logs(store=store, clock=clock)


@pytest.fixture
def call(logs, clock, scope):
    """`call("GetLogEvents", …)`: the result without its absent members, as the wire shows it."""

    def run(operation: str, *, at=scope, **params):
        context = RequestContext("r-1", at, Principal("arn", "id", "key"), "logs", operation, clock.now())
        result = asyncio.run(logs.operations()["logs"][operation](context, params))
        return {name: value for name, value in result.items() if value is not None}

    return run


@pytest.fixture
def refused(call):
    """The code and message of a refusal."""

    def run(operation: str, **params):
        with pytest.raises(ApiError) as error:
            call(operation, **params)
        return error.value.code, error.value.message

    return run


@pytest.fixture
def put(call, clock):
    """Store messages at times, given in milliseconds from now, in a group and stream made when needed."""

    def run(*events: tuple[int, str], group: str = "g", stream: str = "s"):
        if not call("DescribeLogGroups", logGroupIdentifiers=[group])["logGroups"]:
            call("CreateLogGroup", logGroupName=group)
        streams = call("DescribeLogStreams", logGroupName=group, logStreamNamePrefix=stream)["logStreams"]
        if stream not in [found["logStreamName"] for found in streams]:
            call("CreateLogStream", logGroupName=group, logStreamName=stream)
        now_ms = int(clock.now() * 1000)
        return call(
            "PutLogEvents",
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": now_ms + at_ms, "message": message} for at_ms, message in events],
        )

    return run
