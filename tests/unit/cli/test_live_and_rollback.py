"""`penstock live` and `penstock rollback`: the answer first, and nothing done that was not announced."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cli.conftest import NOW, FakeServer, Ran
from tests.unit.cli.test_timeline import ADMIN, marker

LIVE = "GET /_penstock/live/orders:live"
ROLLBACK = "POST /_penstock/rollback"
CALM = {"requests": 400.0, "errors": 1.0, "error_rate": 0.0025}
BAD = {"requests": 50.0, "errors": 16.0, "error_rate": 0.32}


def live(**members: Any) -> dict[str, Any]:
    return {
        "function": "orders",
        "alias": "live",
        "version": "4",
        "weights": {"4": 100.0},
        "since": NOW - 240,
        "by": ADMIN,
        "why": "free shipping",
        "marker": marker(reason="free shipping"),
        "deployment": None,
        "last_known_good": "3",
        "errors": {"now": BAD, "before": CALM, "after": BAD, "versions": {"4": BAD}},
        **members,
    }


SPLIT = live(
    version="3",
    weights={"3": 90.0, "4": 10.0},
    deployment={
        "id": "d-ABC",
        "status": "InProgress",
        "event": "AllowTraffic",
        "to": "4",
        "percent": 10.0,
        "next_shift_at": NOW + 180,
        "why": "free shipping",
    },
    errors={"now": CALM, "before": CALM, "after": None, "versions": {"3": CALM, "4": BAD}},
)
DONE = {
    "function": "orders",
    "alias": "live",
    "version": "3",
    "previous_version": "4",
    "reason": "checkout fails",
    "stopped_deployment_id": None,
}


@pytest.fixture
def orders(server: FakeServer) -> FakeServer:
    """`orders:live` is on a bad version 4, and a rollback works."""
    server.reply(LIVE, live())
    server.reply(ROLLBACK, DONE)
    return server


def lines(ran: Ran) -> list[str]:
    return [" ".join(line.split()) for line in ran.out.splitlines()]


def test_live_answers_every_question(orders: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("live", "orders:live")
    assert (ran.code, ran.err) == (0, "")
    assert lines(ran) == [
        "live version 4",
        "since 07:56:00, 4 min ago",
        "by admin",
        "change version 3 → 4",
        "✓ success",
        "why free shipping",
        "errors now 32 % of 50 requests",
        "before 0.25 % of 400 requests",
        "after 32 % of 50 requests",
        "go back to version 3 (last known good)",
    ]


def test_live_while_traffic_is_split(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(LIVE, SPLIT)
    said = lines(run("live", "orders:live"))
    assert said[0] == "live version 3 90 %, version 4 10 %"
    assert "deploying version 4, 10 %, next step in 3 min" in said
    assert "version 4: 32 % of 50 requests" in said
    assert "after not measured" in said


def test_an_alias_nothing_is_known_of(server: FakeServer, run: Callable[..., Ran]) -> None:
    errors = {"now": {"requests": 0.0, "errors": 0.0, "error_rate": None}, "versions": {"4": None}}
    server.reply(LIVE, live(since=None, by=None, why=None, marker=None, last_known_good=None, errors=errors))
    assert lines(run("live", "orders:live")) == [
        "live version 4",
        "errors now no requests",
        "go back to no other version is known to be good",
    ]


def test_live_json_is_the_servers_own(orders: FakeServer, run: Callable[..., Ran]) -> None:
    assert run("live", "orders:live", "--json").json == live()


@pytest.mark.parametrize("command", ["live", "rollback"])
@pytest.mark.parametrize("name", ["orders", "orders:", ":live", "orders:3", "orders:$LATEST", "a:b:c"])
def test_what_is_no_alias_is_a_usage_error(
    command: str, name: str, orders: FakeServer, run: Callable[..., Ran]
) -> None:
    ran = run(command, name)
    assert ran.code == 2
    assert "names no alias" in ran.err
    assert not orders.seen


def test_rollback_announces_and_then_does_exactly_that(orders: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("rollback", "orders:live", "--reason", "checkout fails")
    assert ran.code == 0
    assert ran.out == "orders:live is back on version 3, 100 % of the traffic.\n"
    assert ran.err.splitlines() == [
        "orders:live has version 4.",
        "It goes to version 3 (last known good), all traffic at once.",
    ]
    assert orders.asked(ROLLBACK)[0].content == {
        "function": "orders",
        "alias": "live",
        "to": "3",
        "reason": "checkout fails",
    }


def test_rollback_to_a_chosen_version(orders: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("rollback", "orders:live", "--to", "2", "--reason", "r", "--json")
    assert ran.json == DONE
    assert "version 2 (as you chose)" in ran.err
    assert orders.asked(ROLLBACK)[0].content["to"] == "2"


def test_rollback_says_that_it_stops_a_deployment(orders: FakeServer, run: Callable[..., Ran]) -> None:
    orders.reply(LIVE, SPLIT)
    orders.reply(ROLLBACK, {**DONE, "stopped_deployment_id": "d-ABC"})
    ran = run("rollback", "orders:live", "--reason", "r")
    assert "Deployment d-ABC is under way and will be stopped." in ran.err
    assert "Deployment d-ABC was stopped." in ran.out


def test_rollback_without_a_known_good_version_is_refused(orders: FakeServer, run: Callable[..., Ran]) -> None:
    orders.reply(LIVE, live(last_known_good=None))
    ran = run("rollback", "orders:live", "--reason", "r")
    assert ran.code == 1
    assert "--to N" in ran.err
    assert not orders.asked(ROLLBACK)


def test_a_script_must_say_why(orders: FakeServer, run: Callable[..., Ran]) -> None:
    assert run("rollback", "orders:live").code == 2
    assert not orders.asked(ROLLBACK)


def test_the_servers_refusal_is_shown(orders: FakeServer, run: Callable[..., Ran]) -> None:
    orders.reply(ROLLBACK, {"code": "AlreadyThere", "message": "it already sends everything to version 3."}, 409)
    ran = run("rollback", "orders:live", "--reason", "r")
    assert (ran.code, ran.out) == (1, "")
    assert "Error (AlreadyThere): it already sends everything to version 3." in ran.err


@pytest.mark.parametrize(
    ("typed", "code", "asked"), [("why not\ny\n", 0, 1), ("why not\nn\n", 1, 0), ("why not\n\n", 1, 0)]
)
def test_a_person_is_asked(
    typed: str, code: int, asked: int, orders: FakeServer, on_terminal: Callable[..., Ran]
) -> None:
    ran = on_terminal("rollback", "orders:live", typed=typed)
    assert ran.code == code
    assert len(orders.asked(ROLLBACK)) == asked
    assert "Roll back now?" in ran.out
    if asked:
        assert orders.asked(ROLLBACK)[0].content["reason"] == "why not"


def test_yes_asks_nothing(orders: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    ran = on_terminal("rollback", "orders:live", "--reason", "r", "--yes")
    assert ran.code == 0
    assert "Roll back now?" not in ran.out
