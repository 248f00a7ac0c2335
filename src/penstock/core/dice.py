"""Chance as an argument: weighted routing, ids, tokens. Rule: nothing else draws random numbers.

`SystemDice` is fit for secrets; `SeededDice` repeats itself and is for tests and drills only.
"""

import os
import random
import secrets
from typing import Protocol


class Dice(Protocol):
    """Where chance comes from."""

    def random(self) -> float:
        """A number in [0, 1)."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""


class SystemDice:
    """The operating system's randomness. Floats come from a fast generator: routing weights are not secrets."""

    def __init__(self) -> None:
        """Seed the fast generator from the operating system."""
        self._fast = random.Random(secrets.randbits(128))  # noqa: S311 - traffic weights, never a secret

    def random(self) -> float:
        return self._fast.random()

    def token(self, size: int) -> bytes:
        return os.urandom(size)


class SeededDice:
    """Repeatable chance for tests."""

    def __init__(self, seed: int = 0):
        """Two dice with the same seed give the same sequence."""
        self._random = random.Random(seed)  # noqa: S311 - tests want repetition

    def random(self) -> float:
        return self._random.random()

    def token(self, size: int) -> bytes:
        return self._random.randbytes(size)


def new_uuid(dice: Dice) -> str:
    """A version 4 UUID in its usual dashed form, as AWS uses for request and revision ids."""
    bits = bytearray(dice.token(16))
    bits[6] = bits[6] & 0x0F | 0x40
    bits[8] = bits[8] & 0x3F | 0x80
    text = bits.hex()  # `uuid.UUID` takes three times as long, and every request has one
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_code(dice: Dice, length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") -> str:
    """A short code such as the `9XYZ12ABC` of a deployment id `d-9XYZ12ABC`."""
    return "".join(alphabet[byte % len(alphabet)] for byte in dice.token(length))
