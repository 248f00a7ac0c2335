"""The table of alarm states, all pairs walked."""

import pytest

from penstock.observe.alarms.machine import INITIAL, TRANSITIONS, Mover, may_move
from penstock.observe.alarms.model import AlarmState

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
FORBIDDEN = {(state, state, mover) for state in AlarmState for mover in Mover if mover is not Mover.BY_HAND} | {
    (OK, INSUFFICIENT, Mover.COMPOSITE_EVALUATION),
    (ALARM, INSUFFICIENT, Mover.COMPOSITE_EVALUATION),
}


@pytest.mark.parametrize("mover", list(Mover))
@pytest.mark.parametrize("new", list(AlarmState))
@pytest.mark.parametrize("old", list(AlarmState))
def test_all_pairs(old: AlarmState, new: AlarmState, mover: Mover) -> None:
    assert may_move(old, new, mover) is ((old, new, mover) not in FORBIDDEN)


def test_the_table_is_whole_and_begins_without_data() -> None:
    assert set(TRANSITIONS) == {(state, mover) for state in AlarmState for mover in Mover}
    assert INITIAL is INSUFFICIENT
