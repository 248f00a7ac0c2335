"""What a log group, a stream and an event are. Values only; times in epoch milliseconds, as the Logs API counts them.

Rule: an event's place is its `Position` (time, chunk, number in the chunk), which orders all events of a server and
never changes, so that it serves as event id and as page token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.core.arns import arn
from penstock.core.context import Scope

DAY_MS = 24 * 3600 * 1000


class Position(NamedTuple):
    """Where an event stands among all others."""

    at_ms: int
    chunk: int
    number: int

    def __str__(self) -> str:
        """56 digits, as AWS's event ids and tokens have."""
        return f"{self.at_ms:020d}{self.chunk:018d}{self.number:018d}"


def parse_position(text: str) -> Position | None:
    """What `str(position)` gave, or None for anything else."""
    if len(text) != 56 or not (text.isascii() and text.isdigit()):
        return None
    return Position(int(text[:20]), int(text[20:38]), int(text[38:]))


class Event(NamedTuple):
    """One stored event. A tuple because readers make thousands at a time."""

    position: Position
    stream: int
    message: str
    ingested_ms: int


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A named set of streams with one retention."""

    id: int
    scope: Scope
    name: str
    created_ms: int
    retention_days: int | None = None
    kms_key_id: str | None = None
    log_class: str = "STANDARD"
    deletion_protection: bool = False
    stored_bytes: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Without the trailing `:*`."""
        return arn("logs", self.scope, f"log-group:{self.name}")

    def oldest_ms(self, now_ms: int) -> int:
        """Events before this are past the retention and not shown, whether or not they were swept already."""
        return now_ms - self.retention_days * DAY_MS if self.retention_days else 0


@dataclass(frozen=True, slots=True)
class LogStream:
    """A sequence of events from one source: one execution environment, usually."""

    id: int
    name: str
    created_ms: int
    first_ms: int | None = None
    last_ms: int | None = None
    ingested_ms: int | None = None
