"""Ids made of chance."""

import uuid

import pytest

from penstock.core.dice import SeededDice, SystemDice, new_uuid


@pytest.mark.parametrize("dice", [SystemDice(), SeededDice(1)], ids=["system", "seeded"])
def test_a_uuid_is_one_of_version_four_and_no_other_comes_again(dice):
    made = [new_uuid(dice) for _ in range(500)]
    assert all(str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4 for text in made)
    assert all(uuid.UUID(text).variant == uuid.RFC_4122 for text in made)
    assert len(set(made)) == 500
