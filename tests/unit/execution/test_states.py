"""All pairs of states: what is in the table is allowed, everything else raises."""

import itertools

import pytest

from penstock.execution.states import MOVES, State, move

ALLOWED = {
    ("starting", "initialising"), ("starting", "stopping"), ("starting", "dead"),
    ("initialising", "idle"), ("initialising", "stopping"), ("initialising", "dead"),
    ("idle", "busy"), ("idle", "stopping"), ("idle", "dead"),
    ("busy", "idle"), ("busy", "settling"), ("busy", "stopping"), ("busy", "dead"),
    ("settling", "idle"), ("settling", "stopping"), ("settling", "dead"),
    ("stopping", "dead"),
}  # fmt: skip


@pytest.mark.parametrize(("now", "then"), list(itertools.product(State, State)), ids=str)
def test_a_move_is_allowed_exactly_when_the_table_has_it(now, then):
    if (now, then) in ALLOWED:
        assert move(now, then) is then
    else:
        with pytest.raises(ValueError, match="cannot go"):
            move(now, then)


def test_every_state_ends_in_death():
    assert set(MOVES) == set(State)
    assert all(State.DEAD in MOVES[state] for state in State if state is not State.DEAD)
