"""The files of an account: made once, private, loaded again, and never replaced without being asked."""

import json
import logging
import os
import re
import stat
from pathlib import Path

import pytest

from penstock.core.dice import SeededDice
from penstock.core.errors import StartupError
from penstock.identity.account import open_account

ACCOUNT = "000000000000"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_makes_a_key_and_later_starts_keep_it(tmp_path: Path, dice) -> None:
    data = tmp_path / "new" / "data"
    pair, master = open_account(data, ACCOUNT, dice)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", pair.access_key)
    assert len(pair.secret_key) == 40
    assert len(master) == 32
    assert pair.principal.arn == f"arn:aws:iam::{ACCOUNT}:user/admin"
    assert open_account(data, ACCOUNT, SeededDice(99)) == (pair, master)
    assert mode(data) == 0o700


@pytest.mark.parametrize("name", ["credentials.json", "master.key"])
def test_the_files_are_for_their_owner_only(tmp_path: Path, dice, caplog, name) -> None:
    previous = os.umask(0)
    try:
        open_account(tmp_path, ACCOUNT, dice)
    finally:
        os.umask(previous)
    assert mode(tmp_path / name) == 0o600
    (tmp_path / name).chmod(0o644)
    with caplog.at_level(logging.WARNING):
        open_account(tmp_path, ACCOUNT, dice)
    assert mode(tmp_path / name) == 0o600
    assert f"{name} was open to other users (mode 0644)" in caplog.text


def test_no_secret_shows_in_a_repr(tmp_path: Path, dice) -> None:
    pair, _ = open_account(tmp_path, ACCOUNT, dice)
    assert pair.secret_key not in repr(pair)


WHOLE = {"account": ACCOUNT, "user": "a", "user_id": "b", "access_key_id": "c", "secret_access_key": "d"}
BROKEN = {
    "empty": b"",
    "half a file": b'{"version": 1, "acc',
    "not an object": b"[]",
    "not text": b"\xff\xfe",
    "a member missing": b'{"account": "000000000000", "user": "admin"}',
    "an empty secret": json.dumps({**WHOLE, "secret_access_key": ""}).encode(),
    "a number for a key": json.dumps({**WHOLE, "access_key_id": 1}).encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_credentials_are_told_and_not_replaced(tmp_path: Path, dice, name) -> None:
    open_account(tmp_path, ACCOUNT, dice)
    (tmp_path / "credentials.json").write_bytes(BROKEN[name])
    with pytest.raises(StartupError, match=r"credentials\.json is broken.*or delete it"):
        open_account(tmp_path, ACCOUNT, dice)
    assert (tmp_path / "credentials.json").read_bytes() == BROKEN[name]


@pytest.mark.parametrize("content", [b"", b"short", b"!" * 44, b"QUJD"])
def test_a_broken_master_key_is_told_and_not_replaced(tmp_path: Path, dice, content) -> None:
    open_account(tmp_path, ACCOUNT, dice)
    (tmp_path / "master.key").write_bytes(content)
    with pytest.raises(StartupError, match=r"master\.key is broken"):
        open_account(tmp_path, ACCOUNT, dice)
    assert (tmp_path / "master.key").read_bytes() == content


def test_deleting_the_credentials_gives_a_new_key_and_keeps_the_master_key(tmp_path: Path, dice) -> None:
    old, master = open_account(tmp_path, ACCOUNT, dice)
    (tmp_path / "credentials.json").unlink()
    new, same = open_account(tmp_path, ACCOUNT, dice)
    assert same == master
    assert new.access_key != old.access_key


def test_a_lost_master_key_is_never_replaced_silently(tmp_path: Path, dice) -> None:
    open_account(tmp_path, ACCOUNT, dice)
    (tmp_path / "master.key").unlink()
    with pytest.raises(StartupError, match="Restore it from a backup"):
        open_account(tmp_path, ACCOUNT, dice)
    assert not (tmp_path / "master.key").exists()


def test_another_account_is_refused(tmp_path: Path, dice) -> None:
    open_account(tmp_path, ACCOUNT, dice)
    with pytest.raises(StartupError, match="belongs to account 000000000000, not 123456789012"):
        open_account(tmp_path, "123456789012", dice)


def test_a_draft_left_by_a_crash_is_no_obstacle(tmp_path: Path, dice) -> None:
    (tmp_path / ".credentials.json.new").write_text("half")
    open_account(tmp_path, ACCOUNT, dice)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["credentials.json", "master.key"]
    assert json.loads((tmp_path / "credentials.json").read_text())["version"] == 1


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path, dice) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartupError, match=r"cannot (read|write)"):
        open_account(tmp_path / "file" / "data", ACCOUNT, dice)
