"""Log events on the wire: putting them in, and reading them by stream or by search.

Page tokens are positions: `f/…` goes on forwards, `b/…` backwards. A token given back at an end of a stream is the one
that came in, which is how clients know the end; asked again later it finds what came since.
"""

import asyncio
from collections.abc import Mapping

from penstock.core.clock import Clock
from penstock.core.context import RequestContext
from penstock.core.paging import BadTokenError, decode_token, encode_token
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.logs.accept import Accepted, accept
from penstock.observe.logs.chunks import pack
from penstock.observe.logs.model import Event, LogGroup, Position
from penstock.observe.logs.pattern import Matcher, compile_pattern
from penstock.observe.logs.pattern_values import PatternError
from penstock.observe.logs.reading import END, Page, Selection, read_page
from penstock.observe.logs.records import find_stream, insert_chunks, stream_names
from penstock.observe.logs.refusals import existing_group, existing_stream, group_name, invalid, position
from penstock.observe.logs.sink import BufferedLogSink
from penstock.store.database import Connection, Store

LIMIT = 10_000


def operations(store: Store, clock: Clock, sink: BufferedLogSink) -> Mapping[str, Operation]:
    """The family's operations."""

    def now_ms() -> int:
        return int(clock.now() * 1000)

    async def put_log_events(context: RequestContext, params: Params) -> Result:
        name, stream_name = params["logGroupName"], params["logStreamName"]
        events = [(event["timestamp"], event["message"]) for event in params["logEvents"]]
        await sink.flush()  # a function's own lines may have made the stream, or wait to
        group = await store.read(lambda connection: existing_group(connection, context.scope, name))
        accepted = accept(events, now_ms(), group.retention_days)
        chunks = await asyncio.to_thread(pack, accepted.events) if accepted.events else []

        def work(connection: Connection) -> int:
            current = existing_group(connection, context.scope, name)  # it may have been deleted meanwhile
            stream = existing_stream(connection, current, stream_name)
            return insert_chunks(connection, current.id, stream.id, chunks, now_ms()) if chunks else 0

        chunk = await store.write(work)
        return {"nextSequenceToken": f"{chunk:056d}", "rejectedLogEventsInfo": _rejected(accepted)}

    async def get_log_events(context: RequestContext, params: Params) -> Result:
        name = group_name(context.scope, params)
        token = params.get("nextToken")

        def work(connection: Connection) -> tuple[Selection, Page]:
            group = existing_group(connection, context.scope, name)
            stream = existing_stream(connection, group, params["logStreamName"])
            selection = _stream_selection(group, stream.id, params, now_ms())
            return selection, read_page(connection, selection, params.get("limit", LIMIT))

        await sink.flush()
        selection, page = await store.read(work)
        events = page.events if selection.forwards else page.events[::-1]
        backward, forward = _tokens(selection, events, token)
        return {
            "events": [
                {"timestamp": event.position.at_ms, "message": event.message, "ingestionTime": event.ingested_ms}
                for event in events
            ],
            "nextForwardToken": forward,
            "nextBackwardToken": backward,
        }

    async def filter_log_events(context: RequestContext, params: Params) -> Result:
        name = group_name(context.scope, params)
        if params.get("logStreamNames") and params.get("logStreamNamePrefix"):
            raise invalid("Specify either logStreamNames or logStreamNamePrefix, and not both.")
        matches = _matcher(params.get("filterPattern"))
        forwards, reached = _filter_token(params)

        def work(connection: Connection) -> tuple[Page, dict[int, str], bool]:
            group = existing_group(connection, context.scope, name)
            selection = _group_selection(connection, group, params, now_ms(), forwards=forwards, reached=reached)
            page = read_page(connection, selection, params.get("limit", LIMIT), matches)
            return page, stream_names(connection, [event.stream for event in page.events]), selection.forwards

        await sink.flush()
        page, names, forwards = await store.read(work)
        way = "f" if forwards else "b"
        return {
            "events": [_found(event, names) for event in page.events],
            "searchedLogStreams": [],
            "nextToken": encode_token(f"{way}/{page.reached}") if page.reached else None,
        }

    return {
        "PutLogEvents": put_log_events,
        "GetLogEvents": get_log_events,
        "FilterLogEvents": filter_log_events,
    }


def _rejected(accepted: Accepted) -> Result | None:
    info = {
        "tooNewLogEventStartIndex": accepted.too_new_from,
        "tooOldLogEventEndIndex": accepted.too_old_until,
        "expiredLogEventEndIndex": accepted.expired_until,
    }
    return info if any(index is not None for index in info.values()) else None


def _low(group: LogGroup, params: Params, now_ms: int) -> Position:
    """Before every event from `startTime` on that retention has left: no event has chunk 0."""
    start_ms = max(params.get("startTime", 0), group.oldest_ms(now_ms))
    return Position(min(start_ms, END.at_ms), 0, 0)


def _stream_selection(group: LogGroup, stream_id: int, params: Params, now_ms: int) -> Selection:
    low = _low(group, params, now_ms)
    high = Position(min(params["endTime"], END.at_ms), 0, 0) if "endTime" in params else END
    token = params.get("nextToken")
    forwards = params.get("startFromHead", False)
    if token is not None:
        way, _, rest = token.partition("/")
        if way not in ("f", "b"):
            raise invalid("The specified nextToken is invalid.")
        forwards = way == "f"
        reached = position(rest)
        low, high = (max(low, reached), high) if forwards else (low, min(high, reached))
    return Selection(group.id, [stream_id], low=low, high=high, forwards=forwards)


def _tokens(selection: Selection, events: list[Event], token: str | None) -> tuple[str, str]:
    """The backward and the forward token."""
    if events:
        return f"b/{events[0].position}", f"f/{events[-1].position}"
    if token is None:
        return f"b/{selection.low}", f"f/{selection.low}"
    # Nothing this way: the same token again, and the other way begins with the event the token stands on.
    at_ms, chunk, number = position(token.partition("/")[2])
    if selection.forwards:
        return f"b/{Position(at_ms, chunk, number + 1)}", token
    return token, f"f/{Position(at_ms, chunk, max(0, number - 1))}"


def _group_selection(
    connection: Connection,
    group: LogGroup,
    params: Params,
    now_ms: int,
    *,
    forwards: bool,
    reached: Position | None,
) -> Selection:
    low = _low(group, params, now_ms)
    # Unlike GetLogEvents, events at endTime itself are included.
    high = Position(min(params["endTime"] + 1, END.at_ms), 0, 0) if "endTime" in params else END
    if reached is not None:
        low, high = (max(low, reached), high) if forwards else (low, min(high, reached))
    streams = None
    if params.get("logStreamNames"):
        found = [find_stream(connection, group.id, name) for name in set(params["logStreamNames"])]
        streams = [stream.id for stream in found if stream is not None]
        if not streams:
            existing_stream(connection, group, params["logStreamNames"][0])
    return Selection(group.id, streams, params.get("logStreamNamePrefix"), low, high, forwards)


def _filter_token(params: Params) -> tuple[bool, Position | None]:
    token = params.get("nextToken")
    if token is None:
        return params.get("startFromHead", True), None
    try:
        way, _, rest = decode_token(token).partition("/")
    except BadTokenError:
        way, rest = "", ""
    if way not in ("f", "b"):
        raise invalid("The specified nextToken is invalid.")
    return way == "f", position(rest)


def _matcher(pattern: str | None) -> Matcher | None:
    if pattern is None or not pattern.strip():
        return None
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise invalid(f"Invalid filter pattern: {error}") from None


def _found(event: Event, names: Mapping[int, str]) -> Result:
    return {
        "logStreamName": names.get(event.stream, ""),
        "timestamp": event.position.at_ms,
        "message": event.message,
        "ingestionTime": event.ingested_ms,
        "eventId": str(event.position),
    }
