"""The account's first user and the master key, made at the first start and loaded at every later one.

Rule: neither is ever replaced silently. Delete `credentials.json` to get a new admin key; `master.key` decrypts what
the store holds, so without it nothing starts.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.core.context import Principal
from penstock.core.dice import Dice
from penstock.core.errors import StartupError
from penstock.identity.ids import new_id
from penstock.identity.model import KeyPair
from penstock.identity.private_file import read_private, write_private

CREDENTIALS = "credentials.json"
MASTER_KEY = "master.key"


def open_account(data: Path, account: str, dice: Dice) -> tuple[KeyPair, bytes]:
    """The admin's key pair and the 32-byte master key, created when the directory is new.

    Raises `StartupError` when a file is broken, belongs to another account, or the master key alone is missing.
    """
    stored_key = read_private(data / MASTER_KEY)
    stored_credentials = read_private(data / CREDENTIALS)
    if stored_key is None and stored_credentials is not None:
        raise StartupError(
            f"{data / MASTER_KEY} is missing while {CREDENTIALS} is there: what this directory stores encrypted "
            "(environment variables) cannot be read without it. Restore it from a backup; to go on and lose those "
            f"values, delete {data / CREDENTIALS} too."
        )
    # The key first: after a crash between the two files the next start finds a key without credentials, which is fine.
    master = _new_master_key(data, dice) if stored_key is None else _parse_master_key(data, stored_key)
    if stored_credentials is None:
        return _new_credentials(data, account, dice), master
    return _parse_credentials(data, account, stored_credentials), master


def _new_master_key(data: Path, dice: Dice) -> bytes:
    key = dice.token(32)
    write_private(data / MASTER_KEY, base64.b64encode(key) + b"\n")
    return key


def _parse_master_key(data: Path, content: bytes) -> bytes:
    try:
        key = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise StartupError(
            f"{data / MASTER_KEY} is broken: it must hold 32 bytes in base64. Restore it from a backup; a new key "
            "cannot read what the old one encrypted."
        )
    return key


def _new_credentials(data: Path, account: str, dice: Dice) -> KeyPair:
    content = {
        "version": 1,
        "account": account,
        "user": "admin",
        "user_id": new_id("AIDA", dice, length=17),
        "access_key_id": new_id("AKIA", dice),
        "secret_access_key": base64.b64encode(dice.token(30)).decode(),
    }
    write_private(data / CREDENTIALS, json.dumps(content, indent=2).encode() + b"\n")
    return _key_pair(content)


def _parse_credentials(data: Path, account: str, content: bytes) -> KeyPair:
    path = data / CREDENTIALS
    try:
        fields = json.loads(content)
        if not all(isinstance(value, str) and value for name, value in fields.items() if name != "version"):
            raise TypeError("empty or not a text")  # noqa: TRY301 - one way out for everything that is broken
        pair = _key_pair(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StartupError(
            f"{path} is broken ({type(error).__name__}: {error}). Restore it from a backup, or delete it: the next "
            "start makes a new admin key and nothing else is lost."
        ) from error
    if fields["account"] != account:
        raise StartupError(
            f"{path} belongs to account {fields['account']}, not {account}. Start with that account, or choose "
            "another directory with --data."
        )
    return pair


def _key_pair(fields: Mapping[str, Any]) -> KeyPair:
    return KeyPair(
        access_key=fields["access_key_id"],
        secret_key=fields["secret_access_key"],
        principal=Principal(
            arn=f"arn:aws:iam::{fields['account']}:user/{fields['user']}",
            user_id=fields["user_id"],
            access_key=fields["access_key_id"],
        ),
    )
