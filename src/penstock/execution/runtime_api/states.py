"""Where a runtime client stands on its address. Rule: a request that the table does not allow is refused with 403.

STARTED: its process runs, nothing heard yet. RESTORED: it asked for its restore (SnapStart). READY: it waits for an
event. RUNNING: it has one. RESPONDING: it streams its reply. RESPONDED: it has replied. FAILED: its init failed.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Client(StrEnum):
    """The runtime, as its requests tell."""

    STARTED = "Started"
    RESTORED = "Restored"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "Responding"
    RESPONDED = "Responded"
    FAILED = "Failed"


MOVES: Mapping[Client, frozenset[Client]] = MappingProxyType(
    {
        Client.STARTED: frozenset({Client.RESTORED, Client.READY, Client.FAILED}),
        Client.RESTORED: frozenset({Client.READY, Client.FAILED}),
        # READY again: its connection broke while it waited, and it asks once more.
        Client.READY: frozenset({Client.READY, Client.RUNNING}),
        Client.RUNNING: frozenset({Client.RESPONDING, Client.RESPONDED}),
        Client.RESPONDING: frozenset({Client.RESPONDED}),
        Client.RESPONDED: frozenset({Client.READY}),
        Client.FAILED: frozenset(),
    }
)
