"""Reading events in order of time across chunks that overlap, a bounded page at a time.

Forwards chunks come by their first event, backwards by their last; an event may be given out once no chunk still to
come can hold an earlier (later) one. Rule: a page stops at its limits and says where, so no request scans for long.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from penstock.observe.logs.chunks import OVERHEAD, SPAN_MS, unpack
from penstock.observe.logs.model import Event, Position
from penstock.observe.logs.records import CHUNKS, STREAMS, TRASH
from penstock.store.database import Connection

BEGINNING = Position(0, 0, 0)
END = Position(10**15, 0, 0)
PAGE_BYTES = 1024 * 1024
SCANNED = 50_000
"""Events looked at for one page."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: a group's, narrowed to streams and to positions strictly between `low` and `high`."""

    group: int
    streams: Sequence[int] | None = None
    stream_prefix: str | None = None
    low: Position = BEGINNING
    high: Position = END
    forwards: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order read, and where to go on: None when there is nothing left."""

    events: list[Event]
    reached: Position | None


def read_page(
    connection: Connection, selection: Selection, limit: int, matches: Callable[[str], bool] | None = None
) -> Page:
    """At most `limit` matching events, 1 MB of them, or as many as could be found in about `SCANNED` events."""
    reader = _Reader(selection, matches)
    found: list[Event] = []
    size = 0
    for event in reader.read(connection):
        size += len(event.message.encode()) + OVERHEAD
        if len(found) >= limit or (size > PAGE_BYTES and found):
            return Page(found, found[-1].position)
        found.append(event)
    return Page(found, reader.stopped_at)


class _Reader:
    """One walk over a selection's chunks."""

    def __init__(self, selection: Selection, matches: Callable[[str], bool] | None):
        self._selection = selection
        self._matches = matches
        self._sign = 1 if selection.forwards else -1
        self._waiting: list[tuple[tuple[int, int, int], Event, Iterator[Event]]] = []
        self.stopped_at: Position | None = None
        """Where the walk stopped because it had looked at enough; None when it came to the end."""

    def read(self, connection: Connection) -> Iterator[Event]:
        """Matching events in order."""
        scanned = 0
        rows = connection.execute(_query(self._selection).execution_options(yield_per=20))
        try:
            for row in rows:
                edge = row.first_ms if self._selection.forwards else -row.last_ms
                while self._waiting and self._waiting[0][0][0] < edge:
                    yield self._pop()
                if scanned >= SCANNED and self._stop_before(row):
                    return
                scanned += row.events
                self._push(self._inside(row))
            while self._waiting:
                yield self._pop()
        finally:
            rows.close()

    def _stop_before(self, row: Any) -> bool:
        """Stop between the events given out and those of `row`, unless the next page would begin where this one did:
        a great many events may carry the same time.
        """
        if self._selection.forwards:
            border = Position(row.first_ms, 0, 0)
            gets_on = border > self._selection.low
        else:
            border = Position(row.last_ms + 1, 0, 0)
            gets_on = border < self._selection.high
        if gets_on:
            self.stopped_at = border
        return gets_on

    def _push(self, events: Iterator[Event]) -> None:
        event = next(events, None)
        if event is not None:
            at_ms, chunk, number = event.position
            sign = self._sign
            heapq.heappush(self._waiting, ((sign * at_ms, sign * chunk, sign * number), event, events))

    def _pop(self) -> Event:
        _, event, events = heapq.heappop(self._waiting)
        self._push(events)
        return event

    def _inside(self, row: Any) -> Iterator[Event]:
        low, high, matches = self._selection.low, self._selection.high, self._matches
        found = [
            Event(Position(at_ms, row.id, number), row.stream_id, message, row.ingested_ms)
            for number, (at_ms, message) in enumerate(unpack(row.first_ms, row.data), 1)
            if (matches is None or matches(message)) and low < (at_ms, row.id, number) < high
        ]
        return iter(found) if self._selection.forwards else reversed(found)


def _query(selection: Selection) -> sa.Select[Any]:
    low_ms, high_ms = selection.low.at_ms, selection.high.at_ms
    query = sa.select(CHUNKS)
    if selection.streams is not None and len(selection.streams) == 1:
        query = query.where(CHUNKS.c.stream_id == selection.streams[0])
    else:
        # The chunks of a deleted stream stay until they are swept.
        deleted = sa.select(TRASH.c.stream_id).where(
            TRASH.c.group_id == selection.group, TRASH.c.stream_id.is_not(None)
        )
        query = query.where(CHUNKS.c.group_id == selection.group, CHUNKS.c.stream_id.not_in(deleted))
        if selection.streams is not None:
            query = query.where(CHUNKS.c.stream_id.in_(selection.streams))
    if selection.stream_prefix is not None:
        prefix = selection.stream_prefix
        named = sa.select(STREAMS.c.id).where(
            STREAMS.c.group_id == selection.group, STREAMS.c.name >= prefix, STREAMS.c.name < prefix + "\U0010ffff"
        )
        query = query.where(CHUNKS.c.stream_id.in_(named))
    # No chunk spans more than SPAN_MS, so both ends of the index range are known. The `+ 0` keeps SQLite from
    # choosing the index of the other direction, which would need sorting.
    if selection.forwards:
        return query.where(
            CHUNKS.c.first_ms.between(low_ms - SPAN_MS, high_ms), CHUNKS.c.last_ms + 0 >= low_ms
        ).order_by(CHUNKS.c.first_ms, CHUNKS.c.id)
    return query.where(CHUNKS.c.last_ms.between(low_ms, high_ms + SPAN_MS), CHUNKS.c.first_ms + 0 <= high_ms).order_by(
        CHUNKS.c.last_ms.desc(), CHUNKS.c.id.desc()
    )
