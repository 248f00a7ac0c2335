"""Chance as an argument: weighted routing, ids, tokens. Rule: nothing else draws random numbers.

`SystemDice` is fit for secrets; `SeededDice` repeats itself and is for tests and drills only.
"""

import random
import secrets
import uuid
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
        return secrets.token_bytes(size)


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
    return str(uuid.UUID(bytes=dice.token(16), version=4))


def new_code(dice: Dice, length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") -> str:
    """A short code such as the `9XYZ12ABC` of a deployment id `d-9XYZ12ABC`."""
    return "".join(alphabet[byte % len(alphabet)] for byte in dice.token(length))
