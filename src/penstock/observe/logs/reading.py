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
    """At most `limit` matching events, 1 MB of them, or as many as could be found in `SCANNED` events."""
    found: list[Event] = []
    size = 0
    reached: Position | None = None
    for scanned, event in enumerate(read_events(connection, selection)):
        if len(found) >= limit or scanned >= SCANNED:
            return Page(found, reached)
        if matches is None or matches(event.message):
            size += len(event.message.encode()) + OVERHEAD
            if size > PAGE_BYTES and found:
                return Page(found, reached)
            found.append(event)
        reached = event.position
    return Page(found, None)


def read_events(connection: Connection, selection: Selection) -> Iterator[Event]:
    """Every event of the selection in order."""
    sign = 1 if selection.forwards else -1
    waiting: list[tuple[tuple[int, int, int], Event, Iterator[Event]]] = []
    rows = connection.execute(_query(selection).execution_options(yield_per=20))
    try:
        for row in rows:
            edge = row.first_ms if selection.forwards else -row.last_ms
            while waiting and waiting[0][0][0] < edge:
                yield _pop(waiting, sign)
            _push(waiting, _inside(row, selection), sign)
        while waiting:
            yield _pop(waiting, sign)
    finally:
        rows.close()


def _push(waiting: list[Any], events: Iterator[Event], sign: int) -> None:
    event = next(events, None)
    if event is not None:
        place = event.position
        heapq.heappush(waiting, ((sign * place[0], sign * place[1], sign * place[2]), event, events))


def _pop(waiting: list[Any], sign: int) -> Event:
    _, event, events = heapq.heappop(waiting)
    _push(waiting, events, sign)
    return event  # type: ignore[no-any-return]


def _inside(row: Any, selection: Selection) -> Iterator[Event]:
    events = [
        Event(Position(at_ms, row.id, number), row.stream_id, message, row.ingested_ms)
        for number, (at_ms, message) in enumerate(unpack(row.first_ms, row.data), 1)
        if selection.low < (at_ms, row.id, number) < selection.high
    ]
    return iter(events) if selection.forwards else reversed(events)


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
