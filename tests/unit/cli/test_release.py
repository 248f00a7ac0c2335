"""`penstock release plan|update|log`: CircleCI's options, and a name on stdout that a script can keep."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cli.conftest import FakeServer, Ran
from tests.unit.cli.test_timeline import marker

ROUTE = "POST /_penstock/markers"


@pytest.fixture
def markers(server: FakeServer) -> FakeServer:
    """A server that takes every marker."""
    server.reply(ROUTE, marker(kind="planned", status="PENDING", name="orders-17", alias=None, previous_version=None))
    return server


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (
            ["plan", "--component-name=lambda/orders", "--target-version=4"],
            {
                "action": "plan",
                "name": "default",
                "component": "lambda/orders",
                "target_version": "4",
                "rollback": False,
            },
        ),
        (
            [
                *("plan", "orders-17", "--component-name", "lambda/orders", "--target-version", "v1.2", "--rollback"),
                *("--environment-name", "production", "--namespace", "shop", "--reason", "it broke"),
            ],
            {"action": "plan", "name": "orders-17", "component": "lambda/orders", "target_version": "v1.2"}
            | {"environment": "production", "namespace": "shop", "rollback": True, "reason": "it broke"},
        ),
        (["update", "--status=running"], {"action": "update", "name": "default", "status": "RUNNING"}),
        (
            ["update", "orders-17", "--status=FAILED", "--failure-reason", "smoke test"],
            {"action": "update", "name": "orders-17", "status": "FAILED", "failure_reason": "smoke test"},
        ),
        (
            ["log", "--component-name", "stack/shop", "--target-version", "abc123"],
            {"action": "log", "component": "stack/shop", "target_version": "abc123", "status": "SUCCESS"}
            | {"rollback": False},
        ),
        (
            [
                *("log", "n", "--component-name", "stack/shop", "--target-version", "abc123"),
                *("--status", "failed", "--failure-reason", "timeout"),
            ],
            {"action": "log", "name": "n", "component": "stack/shop", "target_version": "abc123", "status": "FAILED"}
            | {"rollback": False, "failure_reason": "timeout"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_sent(arguments: list[str], sent: dict[str, Any], markers: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("release", *arguments)
    assert ran.code == 0
    assert markers.asked(ROUTE)[0].content == sent


def test_the_name_alone_is_on_stdout(markers: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("release", "plan", "--component-name=lambda/orders", "--target-version=4")
    assert ran.out == "orders-17\n"
    assert ran.err == "lambda/orders (live), version 4: … planned (marker m-1)\n"


def test_json_is_the_marker(markers: FakeServer, run: Callable[..., Ran]) -> None:
    assert run("release", "update", "--status", "SUCCESS", "--json").json["name"] == "orders-17"


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--component-name=lambda/orders"],
        ["plan", "--target-version=4"],
        ["update"],
        ["update", "--status=PENDING"],
        ["update", "--status=done"],
        ["log", "--target-version=4"],
    ],
    ids=" ".join,
)
def test_what_is_missing_or_wrong_is_a_usage_error(
    arguments: list[str], markers: FakeServer, run: Callable[..., Ran]
) -> None:
    assert run("release", *arguments).code == 2
    assert not markers.seen


def test_a_closed_marker_is_refused_in_the_servers_words(markers: FakeServer, run: Callable[..., Ran]) -> None:
    markers.reply(ROUTE, {"code": "MarkerClosed", "message": "The marker 'x' is closed: it ended SUCCESS."}, 409)
    ran = run("release", "update", "x", "--status=FAILED")
    assert ran.code == 1
    assert ran.err == "Error (MarkerClosed): The marker 'x' is closed: it ended SUCCESS.\n"
