"""What a marker is: one change of one component, with when, what, why and who. See mission: deploy markers.

Values only. Rule: a marker closes once; after that nothing about it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from penstock.core.context import Scope


class MarkerStatus(StrEnum):
    """CircleCI's words for a deploy marker."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def is_open(self) -> bool:
        """Whether the change may still go on."""
        return self in (MarkerStatus.PENDING, MarkerStatus.RUNNING)


_CLOSED = frozenset({MarkerStatus.SUCCESS, MarkerStatus.FAILED, MarkerStatus.CANCELED})
MARKER_MOVES: Mapping[MarkerStatus, frozenset[MarkerStatus]] = MappingProxyType(
    {
        MarkerStatus.PENDING: frozenset({MarkerStatus.RUNNING}) | _CLOSED,
        MarkerStatus.RUNNING: frozenset({MarkerStatus.RUNNING}) | _CLOSED,
        MarkerStatus.SUCCESS: frozenset(),
        MarkerStatus.FAILED: frozenset(),
        MarkerStatus.CANCELED: frozenset(),
    }
)
"""RUNNING may be said again: a pipeline that is repeated says it twice."""

DEPLOYMENT, ROLLBACK, BY_HAND = "deployment", "rollback", "planned"
"""Kinds besides the registry's own actions (`alias-moved`, `configuration-changed`, …)."""


@dataclass(frozen=True, slots=True)
class Marker:
    """One line of the timeline."""

    scope: Scope
    id: str
    component: str
    """`lambda/orders`, `layer/pillow`, `stack/shop`."""
    kind: str
    status: MarkerStatus
    opened_at: float
    """When the change began; for a plan that nothing followed yet, when it was written."""
    by: str
    """The ARN of who did it."""
    environment: str = ""
    """Where: the alias for a function, or what a hand-written marker names."""
    name: str | None = None
    """How a hand-written marker is found again."""
    namespace: str | None = None
    alias: str | None = None
    target_version: str | None = None
    previous_version: str | None = None
    reason: str | None = None
    failure_reason: str | None = None
    closed_at: float | None = None
    deployment_id: str | None = None
    rollback: bool = False
    undoes: str | None = None
    """The marker that this rollback takes back."""
    planned_at: float | None = None
    """Set on markers that a person or a pipeline wrote."""
    planned_by: str | None = None
    joined: bool = False
    """A real change took this hand-written marker over: from then on Penstock closes it."""
    shifts: tuple[tuple[float, Mapping[str, float]], ...] = ()
    """Weight steps: when, and each version's share of the traffic."""
    detail: Mapping[str, object] = field(default_factory=dict)
