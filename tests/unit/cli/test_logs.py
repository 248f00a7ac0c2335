"""`penstock logs`: oldest first, each line once, and silence explained."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cli.conftest import NOW, FakeServer, Ran

from penstock.cli.logs import stream_version

FILTER = "Logs_20140328.FilterLogEvents"
CONFIGURATION = "GET /2015-03-31/functions/orders/configuration"


def event(number: int, message: str, version: str = "3", seconds_ago: float = 60) -> dict[str, Any]:
    return {
        "eventId": str(number),
        "logStreamName": f"2027/01/15/[{version}]abc",
        "timestamp": int((NOW - seconds_ago) * 1000),
        "message": message,
        "ingestionTime": int(NOW * 1000),
    }


@pytest.fixture
def orders(server: FakeServer) -> FakeServer:
    """A server with the function `orders`."""
    server.reply(CONFIGURATION, {"FunctionName": "orders"})
    return server


def test_lines_come_oldest_first_with_time_and_version(orders: FakeServer, run: Callable[..., Ran]) -> None:
    orders.reply(FILTER, {"events": [event(2, "second\n", "4", 30.5), event(1, "first\n")]})
    ran = run("logs", "orders")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "07:59:00.000 3  first\n07:59:29.500 4  second\n"
    asked = orders.asked(FILTER)[0].content
    assert asked == {"logGroupName": "/aws/lambda/orders", "startTime": int((NOW - 600) * 1000)}


def test_pattern_and_time_go_to_the_server_and_the_version_is_chosen_here(
    orders: FakeServer, run: Callable[..., Ran]
) -> None:
    orders.reply(FILTER, {"events": [event(1, "ERROR a", "3"), event(2, "ERROR b", "4")]})
    ran = run("logs", "orders:live", "--since", "1h", "--filter", "ERROR", "--version", "4")
    assert ran.out == "07:59:00.000 4  ERROR b\n"
    asked = orders.asked(FILTER)[0].content
    assert asked["filterPattern"] == "ERROR"
    assert asked["startTime"] == int((NOW - 3600) * 1000)


def test_a_log_group_of_its_own(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(CONFIGURATION, {"FunctionName": "orders", "LoggingConfig": {"LogGroup": "/shop"}})
    server.reply(FILTER, {"events": []})
    run("logs", "orders")
    assert server.asked(FILTER)[0].content["logGroupName"] == "/shop"


def test_json_lines(orders: FakeServer, run: Callable[..., Ran]) -> None:
    orders.reply(FILTER, {"events": [event(1, "hello\n")]})
    assert run("logs", "orders", "--json").json == {
        "at": NOW - 60,
        "version": "3",
        "stream": "2027/01/15/[3]abc",
        "message": "hello\n",
    }


def test_following_prints_each_line_once(
    orders: FakeServer, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.cli.logs.LOOK_EVERY_S", 0.0)
    looks = iter([[event(1, "one")], [event(1, "one")], [event(1, "one"), event(2, "two", seconds_ago=1)]])

    def look() -> Any:
        found = next(looks, None)
        if found is None:
            orders.reply(FILTER, {"__type": "ServiceUnavailableException", "message": "going down"}, status=503)
            return {"events": []}
        return {"events": found}

    orders.reply(FILTER, look)
    ran = run("logs", "orders", "--follow")
    assert [line.split()[-1] for line in ran.out.splitlines()] == ["one", "two"]
    assert "going down" in ran.err
    assert ran.code == 1


@pytest.mark.parametrize(
    ("surroundings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_an_error_is_red_where_colour_is_wanted(
    surroundings: dict[str, str], coloured: bool, orders: FakeServer, on_terminal: Callable[..., Ran]
) -> None:
    orders.reply(FILTER, {"events": [event(1, "[ERROR] no stock")]})
    out = on_terminal("logs", "orders", environment=surroundings).out
    assert ("\x1b[31m[ERROR] no stock" in out) is coloured
    assert "[ERROR] no stock" in out


def test_a_log_cannot_steer_the_terminal(
    orders: FakeServer, on_terminal: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    orders.reply(FILTER, {"events": [event(1, "a\x1b]0;owned\x07\tb\nc")]})
    assert "a�]0;owned�\tb\nc" in on_terminal("logs", "orders").out
    assert "a\x1b]0;owned\x07\tb\nc" in run("logs", "orders").out


def test_no_lines_is_said_on_stderr(orders: FakeServer, run: Callable[..., Ran]) -> None:
    missing = {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
    orders.reply(FILTER, missing, status=400)
    ran = run("logs", "orders", "--version", "9")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "no log lines of orders in the last 10m for version 9.\n"


def test_a_function_that_is_not_there_is_refused(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(
        CONFIGURATION,
        {"Type": "User", "Message": "Function not found"},
        404,
        {"x-amzn-errortype": "ResourceNotFoundException"},
    )
    ran = run("logs", "orders")
    assert ran.code == 1
    assert "ResourceNotFoundException" in ran.err


@pytest.mark.parametrize("since", ["", "10", "m", "-5m", "1y", "1h 30m"])
def test_a_wrong_duration_is_a_usage_error(since: str, run: Callable[..., Ran]) -> None:
    ran = run("logs", "orders", "--since", since)
    assert ran.code == 2
    assert "duration" in ran.err


@pytest.mark.parametrize(
    ("stream", "version"),
    [
        ("2027/01/15/[3]abc", "3"),
        ("2027/01/15/[$LATEST]abc", "$LATEST"),
        ("2027/01/15/orders[12]abc", "12"),
        ("x", None),
    ],
)
def test_the_version_in_a_streams_name(stream: str, version: str | None) -> None:
    assert stream_version(stream) == version
