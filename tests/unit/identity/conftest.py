"""An identity room in a new directory, and the means to sign like an SDK at the mock clock's time."""

from pathlib import Path

import pytest

from penstock.core.clock import MockClock
from penstock.core.dice import SeededDice
from penstock.identity.room import Identity


@pytest.fixture
def identity(tmp_path: Path, clock: MockClock, dice: SeededDice) -> Identity:
    return Identity(data=tmp_path / "data", account="000000000000", clock=clock, dice=dice)
