"""The life of an environment. Rule: a move that is not in the table is a bug and raises.

STARTING: forked or about to be. INITIALISING: runs the function's init code. IDLE: waits for an invoke, may be reaped.
BUSY: runs one invoke. SETTLING: has replied and is not done yet (extensions, the runtime itself). STOPPING: told to
die, or found dying. DEAD: its processes are gone.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where an environment is."""

    STARTING = "starting"
    INITIALISING = "initialising"
    IDLE = "idle"
    BUSY = "busy"
    SETTLING = "settling"
    STOPPING = "stopping"
    DEAD = "dead"


MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.STARTING: frozenset({State.INITIALISING, State.STOPPING, State.DEAD}),
        State.INITIALISING: frozenset({State.IDLE, State.STOPPING, State.DEAD}),
        State.IDLE: frozenset({State.BUSY, State.STOPPING, State.DEAD}),
        State.BUSY: frozenset({State.IDLE, State.SETTLING, State.STOPPING, State.DEAD}),
        State.SETTLING: frozenset({State.IDLE, State.STOPPING, State.DEAD}),
        State.STOPPING: frozenset({State.DEAD}),
        State.DEAD: frozenset(),
    }
)


def move(now: State, then: State) -> State:
    """`then`, if the table allows it."""
    if then not in MOVES[now]:
        raise ValueError(f"an environment cannot go from {now} to {then}")
    return then
