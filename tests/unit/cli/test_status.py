"""`penstock status`: the whole server at one glance, and exit code 3 when it is down."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cli.conftest import NOW, FakeServer, Ran

STATUS: dict[str, Any] = {
    "functions": [
        {"name": "payments", "state": "Failed", "aliases": []},
        {
            "name": "orders",
            "state": "Active",
            "aliases": [
                {"name": "beta", "version": "4", "weights": {}},
                {"name": "live", "version": "3", "weights": {"4": 0.1}},
            ],
        },
    ],
    "environments": [{"state": "idle"}, {"state": "busy"}, {"state": "idle"}],
    "deployments": [
        {
            "id": "d-ABC",
            "status": "InProgress",
            "function": "orders",
            "alias": "live",
            "current": "3",
            "target": "4",
            "percent": 10,
            "event": "AllowTraffic",
            "next_shift_at": NOW + 60,
            "created_at": NOW - 120,
        }
    ],
    "alarms": [{"name": "orders-errors", "since": NOW - 60, "reason": "3 datapoints were above 5"}],
}


@pytest.fixture
def busy(server: FakeServer) -> FakeServer:
    """A server with something going on."""
    health = {"version": "0.1.0", "business_time": NOW, "clock_speed": 60.0, "uptime_s": 11_520.0}
    server.reply("GET /_penstock/health", health)
    server.reply("GET /_penstock/status", STATUS)
    return server


def test_everything_at_a_glance(busy: FakeServer, run: Callable[..., Ran]) -> None:
    ran = run("status")
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "server up 3 h 12 min"
    assert "clock 08:00:00, running 60 times as fast as real time" in lines
    assert "functions orders beta → 4 live → 3 + 4 at 10%" in lines
    assert "payments (Failed)" in lines
    assert "environments 1 busy, 2 idle" in lines
    assert "deploying orders:live version 3 → 4, 10 %, next step in 1 min" in lines
    assert "ALARM orders-errors since 07:59:00, 1 min ago" in lines


def test_a_quiet_new_server(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply("GET /_penstock/status", {"functions": [], "environments": [], "deployments": [], "alarms": []})
    lines = [" ".join(line.split()) for line in run("status").out.splitlines()]
    assert "functions none yet" in lines
    assert "alarms none in ALARM" in lines
    assert not [line for line in lines if line.startswith("deploying")]


def test_json_has_health_and_status(busy: FakeServer, run: Callable[..., Ran]) -> None:
    found = run("status", "--json").json
    assert found["up"] is True
    assert found["uptime_s"] == 11_520.0
    assert found["alarms"] == STATUS["alarms"]


def test_down(run: Callable[..., Ran]) -> None:
    ran = run("status")
    assert ran.code == 3
    assert "down" in ran.out
    assert run("status", "--json").json["up"] is False


def test_80_columns(busy: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    screen = on_terminal("status").screen
    assert max(map(len, screen)) <= 80
