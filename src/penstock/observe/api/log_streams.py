"""Log streams on the wire."""

from collections.abc import Mapping

from penstock.core.arns import arn
from penstock.core.clock import Clock
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, decode_token, encode_token
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.logs.model import LogGroup, LogStream
from penstock.observe.logs.records import (
    delete_stream,
    find_stream,
    insert_stream,
    list_streams_by_last_event,
    list_streams_by_name,
)
from penstock.observe.logs.refusals import existing_group, existing_stream, group_name, invalid
from penstock.observe.logs.sink import BufferedLogSink
from penstock.store.database import Connection, Store

PAGE = 50


def operations(store: Store, clock: Clock, sink: BufferedLogSink) -> Mapping[str, Operation]:
    """The family's operations."""

    async def create_log_stream(context: RequestContext, params: Params) -> Result:
        def work(connection: Connection) -> None:
            group = existing_group(connection, context.scope, params["logGroupName"])
            if find_stream(connection, group.id, params["logStreamName"]):
                raise ApiError("ResourceAlreadyExistsException", "The specified log stream already exists")
            insert_stream(connection, group.id, params["logStreamName"], int(clock.now() * 1000))

        await sink.flush()  # a function's lines may have made it, or wait to
        await store.write(work)
        return {}

    async def delete_log_stream(context: RequestContext, params: Params) -> Result:
        def work(connection: Connection) -> None:
            group = existing_group(connection, context.scope, params["logGroupName"])
            delete_stream(connection, group.id, existing_stream(connection, group, params["logStreamName"]).id)

        await sink.flush()
        await store.write(work)
        return {}

    async def describe_log_streams(context: RequestContext, params: Params) -> Result:
        name = group_name(context.scope, params)
        by_time = params.get("orderBy") == "LastEventTime"
        if by_time and params.get("logStreamNamePrefix"):
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        limit = params.get("limit", PAGE)

        def work(connection: Connection) -> tuple[LogGroup, list[LogStream]]:
            group = existing_group(connection, context.scope, name)
            return group, _listed(connection, group.id, params, limit + 1, by_time=by_time)

        await sink.flush()
        group, streams = await store.read(work)
        more = len(streams) > limit
        return {
            "logStreams": [_shown(group, stream) for stream in streams[:limit]],
            "nextToken": _token(streams[limit - 1], by_time=by_time) if more else None,
        }

    return {
        "CreateLogStream": create_log_stream,
        "DeleteLogStream": delete_log_stream,
        "DescribeLogStreams": describe_log_streams,
    }


def _listed(connection: Connection, group_id: int, params: Params, limit: int, *, by_time: bool) -> list[LogStream]:
    descending = params.get("descending", False)
    after = _after(params.get("nextToken"))
    if not by_time:
        prefix = params.get("logStreamNamePrefix", "")
        return list_streams_by_name(
            connection, group_id, prefix=prefix, after=after, limit=limit, descending=descending
        )
    place = None
    if after is not None:
        last_ms, _, stream_id = after.partition("/")
        if not (last_ms.isdecimal() and stream_id.isdecimal() and len(after) < 40):
            raise invalid("The specified nextToken is invalid.")
        place = (int(last_ms), int(stream_id))
    return list_streams_by_last_event(connection, group_id, after=place, limit=limit, descending=descending)


def _token(stream: LogStream, *, by_time: bool) -> str:
    return encode_token(f"{stream.last_ms or 0}/{stream.id}" if by_time else stream.name)


def _after(token: str | None) -> str | None:
    try:
        return decode_token(token) if token else None
    except BadTokenError:
        raise invalid("The specified nextToken is invalid.") from None


def _shown(group: LogGroup, stream: LogStream) -> Result:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "firstEventTimestamp": stream.first_ms,
        "lastEventTimestamp": stream.last_ms,
        "lastIngestionTime": stream.ingested_ms,
        "uploadSequenceToken": f"{stream.id:056d}",
        "arn": arn("logs", group.scope, f"log-group:{group.name}:log-stream:{stream.name}"),
        "storedBytes": 0,
    }
