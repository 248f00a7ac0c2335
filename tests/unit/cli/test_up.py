"""`penstock up` turns options into one configuration and becomes the server."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.conftest import FakeServer, Ran

from penstock.cli.up import is_loopback
from penstock.config import Config, config_from_json


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of every execv."""
    calls: list[list[str]] = []

    def _execv(_path: str, arguments: list[str]) -> None:
        calls.append(arguments)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", _execv)
    return calls


def test_defaults(data: Path, run: Callable[..., Ran], became: list[list[str]]) -> None:
    ran = run("up")
    assert (ran.code, ran.err) == (0, "")
    assert became[0][:4] == [sys.executable, "-P", "-m", "penstock.app"]
    assert config_from_json(became[0][4]) == Config(data=data, interpreters_path=os.environ["PATH"])


def test_every_option_arrives(tmp_path: Path, run: Callable[..., Ran], became: list[list[str]]) -> None:
    ran = run(
        *("up", "--data", str(tmp_path / "other"), "--host", "0.0.0.0", "--port", "0", "--region", "eu-west-3"),
        *("--account", "123456789012", "--clock-speed", "60", "--strict-runtimes", "--account-concurrency", "7"),
        *("--idle-environment", "2.5", "--log-format", "json", "--access-log"),
    )
    assert config_from_json(became[0][4]) == Config(
        data=tmp_path / "other",
        host="0.0.0.0",
        port=0,
        region="eu-west-3",
        account="123456789012",
        clock_speed=60,
        strict_runtimes=True,
        account_concurrency=7,
        idle_environment_s=2.5,
        log_format="json",
        access_log=True,
        interpreters_path=os.environ["PATH"],
    )
    assert "WARNING: listening on 0.0.0.0" in ran.err


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("myhost", False),
        ("", False),
    ],
)
def test_which_hosts_stay_on_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    "arguments",
    [
        ("--account", "12345"),
        ("--account", "abcdefghijkl"),
        ("--region", "mars"),
        ("--clock-speed", "0"),
        ("--clock-speed", "-1"),
        ("--clock-speed", "nan"),
        ("--clock-speed", "inf"),
        ("--port", "70000"),
        ("--log-format", "xml"),
        ("--account-concurrency", "0"),
    ],
    ids=" ".join,
)
def test_nonsense_is_a_usage_error(
    arguments: tuple[str, str], run: Callable[..., Ran], became: list[list[str]]
) -> None:
    assert run("up", *arguments).code == 2
    assert not became


def test_a_second_server_is_refused_early(server: FakeServer, run: Callable[..., Ran], became: list[list[str]]) -> None:
    ran = run("up")
    assert ran.code == 1
    assert server.endpoint in ran.err
    assert not became
