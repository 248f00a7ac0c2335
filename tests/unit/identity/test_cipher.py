"""Sealed values open for the same purpose only, and any changed byte is noticed."""

import pytest

from penstock.core.dice import SeededDice
from penstock.identity.cipher import MasterCipher

KEY = bytes(range(32))


def test_what_was_sealed_comes_back_and_never_twice_the_same() -> None:
    cipher = MasterCipher({1: KEY}, SeededDice())
    one, two = cipher.encrypt(b"secret", "orders"), cipher.encrypt(b"secret", "orders")
    assert one != two
    assert b"secret" not in one
    assert cipher.decrypt(one, "orders") == cipher.decrypt(two, "orders") == b"secret"


def test_another_purpose_does_not_open_it() -> None:
    cipher = MasterCipher({1: KEY}, SeededDice())
    with pytest.raises(ValueError, match="another purpose"):
        cipher.decrypt(cipher.encrypt(b"secret", "orders"), "payments")


def test_every_changed_byte_is_noticed() -> None:
    cipher = MasterCipher({1: KEY}, SeededDice())
    sealed = cipher.encrypt(b"secret", "orders")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(ValueError):
            cipher.decrypt(bytes(changed), "orders")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x01" + bytes(12), b"plain text that was never sealed"])
def test_what_was_never_sealed_is_a_value_error(sealed: bytes) -> None:
    with pytest.raises(ValueError):
        MasterCipher({1: KEY}, SeededDice()).decrypt(sealed, "orders")


def test_an_older_key_still_opens_and_the_newest_seals() -> None:
    old = MasterCipher({1: KEY}, SeededDice())
    both = MasterCipher({1: KEY, 2: bytes(32)}, SeededDice())
    assert both.decrypt(old.encrypt(b"secret", "p"), "p") == b"secret"
    with pytest.raises(ValueError, match="key version 2"):
        old.decrypt(both.encrypt(b"secret", "p"), "p")
