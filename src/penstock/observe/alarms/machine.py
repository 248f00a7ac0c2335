"""The states of an alarm and what may move it between them, as a table. Rule: a pair that is not here cannot happen.

AWS lets every state follow every other; what the table forbids is a composite alarm going back to INSUFFICIENT_DATA
by evaluation: it knows its children's states, so it always has an answer.
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from penstock.observe.alarms.model import AlarmState

OK, ALARM, INSUFFICIENT_DATA = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
INITIAL = INSUFFICIENT_DATA


class Mover(StrEnum):
    """What changes the state."""

    METRIC_EVALUATION = "metric evaluation"
    COMPOSITE_EVALUATION = "composite evaluation"
    BY_HAND = "SetAlarmState"


_EVERYWHERE = frozenset({OK, ALARM, INSUFFICIENT_DATA})
TRANSITIONS: Mapping[tuple[AlarmState, Mover], frozenset[AlarmState]] = MappingProxyType(
    {
        (OK, Mover.METRIC_EVALUATION): frozenset({ALARM, INSUFFICIENT_DATA}),
        (ALARM, Mover.METRIC_EVALUATION): frozenset({OK, INSUFFICIENT_DATA}),
        (INSUFFICIENT_DATA, Mover.METRIC_EVALUATION): frozenset({OK, ALARM}),
        (OK, Mover.COMPOSITE_EVALUATION): frozenset({ALARM}),
        (ALARM, Mover.COMPOSITE_EVALUATION): frozenset({OK}),
        (INSUFFICIENT_DATA, Mover.COMPOSITE_EVALUATION): frozenset({OK, ALARM}),
        # By hand the reason may be replaced without changing the state.
        (OK, Mover.BY_HAND): _EVERYWHERE,
        (ALARM, Mover.BY_HAND): _EVERYWHERE,
        (INSUFFICIENT_DATA, Mover.BY_HAND): _EVERYWHERE,
    }
)


def may_move(old: AlarmState, new: AlarmState, mover: Mover) -> bool:
    """Whether the table has it."""
    return new in TRANSITIONS[(old, mover)]
