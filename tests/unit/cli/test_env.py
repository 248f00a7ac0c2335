"""`penstock env`: what a shell evaluates is exactly the server's endpoint, region and keys."""

import subprocess
from collections.abc import Callable

import pytest
from tests.unit.cli.conftest import FakeServer, Ran

from penstock.cli.env import Shell, render

SECRET = "it's+secret/="


def test_a_posix_shell_gets_the_variables_and_loses_another_accounts(
    server: FakeServer, run: Callable[..., Ran]
) -> None:
    ran = run("env")
    assert ran.code == 0
    script = f"{ran.out}\nenv | grep ^AWS_ | sort"
    surroundings = {"AWS_SESSION_TOKEN": "theirs", "AWS_PROFILE": "theirs", "PATH": "/usr/bin:/bin"}
    seen = subprocess.run(["sh", "-c", script], env=surroundings, capture_output=True, text=True, check=True)
    assert seen.stdout.splitlines() == [
        "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
        "AWS_DEFAULT_REGION=eu-central-1",
        f"AWS_ENDPOINT_URL={server.endpoint}",
        "AWS_REGION=eu-central-1",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
    ]
    assert seen.stderr == ""


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        (Shell.FISH, "set -gx K 'it\\'s a \\\\ $HOME'"),
        (Shell.POWERSHELL, "$Env:K = 'it''s a \\ $HOME'"),
        (Shell.POSIX, "export K='it'\"'\"'s a \\ $HOME'"),
        (Shell.DOTENV, "K=it's a \\ $HOME"),
    ],
)
def test_each_shell_has_its_own_quoting(shell: Shell, line: str) -> None:
    assert render({"K": "it's a \\ $HOME"}, shell).splitlines()[0] == line


def test_json(server: FakeServer, run: Callable[..., Ran]) -> None:
    assert run("env", "--json").json == {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


def test_without_a_server_eval_is_harmless(run: Callable[..., Ran]) -> None:
    ran = run("env")
    assert (ran.code, ran.out) == (1, "")
    assert "no Penstock server is running" in ran.err


def test_without_credentials_eval_is_harmless(server: FakeServer, run: Callable[..., Ran]) -> None:
    (server.data / "credentials.json").unlink()
    ran = run("env")
    assert (ran.code, ran.out) == (1, "")
    assert "credentials.json does not exist" in ran.err


def test_a_terminal_is_told_what_to_type(server: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    assert 'eval "$(penstock env)"' in on_terminal("env").out
