"""Where an extension stands. Rule: a request that the table does not allow is refused with 403.

STARTED: its process runs (external ones only). REGISTERED: it told which events it wants. READY: it waits for an event.
RUNNING: it has one. INIT_FAILED and EXIT_FAILED: it said that it cannot go on.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """One extension, as its requests tell."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_FAILED = "InitError"
    EXIT_FAILED = "ExitError"


MOVES: Mapping[Phase, frozenset[Phase]] = MappingProxyType(
    {
        Phase.STARTED: frozenset({Phase.REGISTERED}),
        Phase.REGISTERED: frozenset({Phase.READY, Phase.INIT_FAILED, Phase.EXIT_FAILED}),
        # READY again: its connection broke while it waited, and it asks once more.
        Phase.READY: frozenset({Phase.READY, Phase.RUNNING, Phase.EXIT_FAILED}),
        Phase.RUNNING: frozenset({Phase.READY, Phase.EXIT_FAILED}),
        Phase.INIT_FAILED: frozenset(),
        Phase.EXIT_FAILED: frozenset(),
    }
)
