"""`penstock doctor`: each finding, and the exit code that a script goes by."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.conftest import FakeServer, Ran

from penstock.cli.checks import (
    State,
    check_credentials,
    check_directory,
    check_disk,
    check_lock,
    check_port,
    check_python,
    lock_holder,
)
from penstock.core.serverfile import ServerFile

US = ServerFile(os.getpid(), "http://127.0.0.1:1", "us-east-1", "000000000000", 1.0, "0.1.0")
LOCKS = """\
1: POSIX  ADVISORY  READ 7 08:01:99 128 128
2: FLOCK  ADVISORY  WRITE 41 08:01:41 0 EOF
3: FLOCK  ADVISORY  WRITE 42 08:01:99 0 EOF
3: -> FLOCK  ADVISORY  WRITE 43 08:01:99 0 EOF
"""


@pytest.mark.parametrize(
    ("free", "state"),
    [(0, State.FAIL), (99 * 2**20, State.FAIL), (100 * 2**20, State.WARN), (2**30 - 1, State.WARN), (2**30, State.OK)],
)
def test_disk(free: int, state: State) -> None:
    assert check_disk(free).state is state


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10, 9), State.FAIL), ((3, 11, 0), State.OK), ((3, 14, 1), State.OK)]
)
def test_python(version: tuple[int, ...], state: State) -> None:
    assert check_python(version).state is state


@pytest.mark.parametrize(
    ("mode", "state"), [(0o700, State.OK), (0o755, State.OK), (0o770, State.WARN), (0o777, State.WARN)]
)
def test_directory_modes(data: Path, mode: int, state: State) -> None:
    data.chmod(mode)
    assert check_directory(data).state is state


def test_a_directory_that_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check_directory(tmp_path / "file").state is State.FAIL
    assert check_directory(tmp_path / "absent").state is State.WARN


@pytest.mark.parametrize(("mode", "state"), [(0o600, State.OK), (0o640, State.FAIL), (0o604, State.FAIL)])
def test_credentials_are_private(data: Path, mode: int, state: State) -> None:
    assert check_credentials(data).state is State.WARN
    (data / "credentials.json").touch()
    (data / "credentials.json").chmod(mode)
    assert check_credentials(data).state is state


@pytest.mark.parametrize(("inode", "holder"), [(99, 42), (41, 41), (1, None), (None, None)])
def test_who_holds_a_lock(inode: int | None, holder: int | None) -> None:
    assert lock_holder(LOCKS, inode) == holder


def test_the_lock_and_the_server_file_agree(data: Path) -> None:
    assert check_lock(data, None).state is State.OK
    assert "left-over" in check_lock(data, US).detail
    handle = os.open(data / "lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert check_lock(data, US).state is State.OK
        assert "starting or stopping" in check_lock(data, None).detail
    finally:
        os.close(handle)


def test_a_taken_port_is_a_warning(server: FakeServer) -> None:
    assert check_port(int(server.endpoint.rpartition(":")[2])).state is State.WARN
    assert check_port(0).state is State.OK


def test_down_is_a_warning_and_no_failure(run: Callable[..., Ran]) -> None:
    ran = run("doctor", "--json", "--port", "0")
    assert ran.code == 0
    states = {row["check"]: row["state"] for row in ran.json}
    assert states["server"] == "warn"
    assert states["python"] == "ok"


def test_the_servers_rows_come_after_ours(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply("GET /_penstock/doctor", [{"check": "runtimes", "state": "warn", "detail": "python3.12 is missing"}])
    ran = run("doctor")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].split() == ["runtimes", "!", "warn", "python3.12", "is", "missing"]


def test_one_failure_is_exit_code_1(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply("GET /_penstock/doctor", [{"check": "store", "state": "fail", "detail": "read-only"}])
    ran = run("doctor")
    assert ran.code == 1
    assert "1 of" in ran.err


def test_a_server_that_refuses_is_a_finding(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply("GET /_penstock/doctor", {"code": "InvalidClientTokenId", "message": "who are you"}, 403)
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert ran.json[-1] == {"check": "server", "state": "fail", "detail": "Error (InvalidClientTokenId): who are you"}


def test_a_narrow_terminal_folds_only_what_was_found(server: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    server.reply("GET /_penstock/doctor", [{"check": "runtimes", "state": "ok", "detail": "word " * 40}])
    screen = on_terminal("doctor").screen
    assert max(map(len, screen)) <= 80
    assert " ".join(screen).count("word") == 40
