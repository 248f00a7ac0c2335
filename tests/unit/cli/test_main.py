"""The command as a whole: help that teaches, quick starts, clean ends."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.unit.cli.conftest import FakeServer, Ran

from penstock import __version__

COMMANDS = [
    *(["up"], ["env"], ["status"], ["doctor"], ["timeline"], ["live"], ["rollback"], ["logs"], ["invoke"], ["version"]),
    *(["release", "plan"], ["release", "update"], ["release", "log"]),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_teaches_by_example(command: list[str], run: Callable[..., Ran]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert "Example" in ran.out
    assert f"  penstock {' '.join(command)}" in ran.out or f"$(penstock {' '.join(command)})" in ran.out


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in (["up"], ["logs"])], ids=" ".join)
def test_every_command_that_prints_data_has_json(command: list[str], run: Callable[..., Ran]) -> None:
    assert "--json" in run(*command, "--help").out


def test_help_names_every_command_whole(run: Callable[..., Ran]) -> None:
    out = run("--help").out
    for command in {command[0] for command in COMMANDS}:
        assert f"\n  {command} " in out
    assert "..." not in out.partition("\n")[2]


def test_demo_becomes_a_process_of_its_own(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []

    def execv(_path: str, arguments: list[str]) -> None:
        became.append(arguments)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    assert run("demo", "--server-log", "--help").code == 0
    assert became == [[sys.executable, "-P", "-m", "penstock.cli.demo", "--server-log", "--help"]]


def test_version(run: Callable[..., Ran]) -> None:
    assert run("version").out.startswith(f"penstock {__version__} (Python 3.")
    assert run("version", "--json").json["penstock"] == __version__


@pytest.mark.parametrize("arguments", [["version"], ["--help"], ["timeline", "--help"]], ids=" ".join)
def test_a_quick_command_loads_nothing_heavy(arguments: list[str]) -> None:
    heavy = ("boto3", "botocore", "sqlalchemy", "alembic", "uvloop", "rich", "platformdirs")
    script = (
        "import sys\nfrom penstock.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_a_reader_that_goes_away_is_no_error(server: FakeServer) -> None:
    rows = [{"check": f"row {number}", "state": "ok", "detail": "x" * 200} for number in range(5000)]
    server.reply("GET /_penstock/doctor", rows)
    script = f"{sys.executable} -m penstock.cli.main doctor --data {server.data} | head -n 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("CHECK")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{", "is broken"), (b"[]", "is broken"), (b'{"access_key_id": "A"}', "is broken"), (None, "does not exist")],
)
def test_credentials_that_cannot_be_used(
    content: bytes | None, says: str, server: FakeServer, run: Callable[..., Ran]
) -> None:
    path = server.data / "credentials.json"
    path.unlink() if content is None else path.write_bytes(content)
    ran = run("timeline")
    assert ran.code == 1
    assert says in ran.err
    assert str(path) in ran.err


def test_a_server_that_does_not_answer_is_exit_code_3(server: FakeServer, run: Callable[..., Ran]) -> None:
    path = server.data / "server.json"
    path.write_text(path.read_text().replace(server.endpoint, "http://127.0.0.1:1"))
    for arguments in (["timeline"], ["live", "orders:live"], ["invoke", "orders"]):
        ran = run(*arguments)
        assert (ran.code, ran.out) == (3, "")
        assert "does not answer" in ran.err


def test_an_unknown_option_is_exit_code_2(run: Callable[..., Ran]) -> None:
    assert run("timeline", "--sinse", "1h").code == 2


def test_completion_is_on_offer() -> None:
    surroundings = {"_PENSTOCK_COMPLETE": "complete_bash", "COMP_WORDS": "penstock roll", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli.main"],
        env=surroundings | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["rollback"]
