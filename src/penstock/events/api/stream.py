"""The wire operation InvokeWithResponseStream
(https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html).

Rule: the reply begins when the function does; what goes wrong before is a refusal, what goes wrong after is told by
the last event. A function that does not stream is sent as one chunk.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

from penstock.core.context import RequestContext
from penstock.events.api.call import read_call
from penstock.events.invoke import SYNC_LIMIT, Invoker, refuse_unless_run
from penstock.execution.model import Outcome
from penstock.execution.stream import ResponseStream
from penstock.gateway.contract import Operation, Params, Result

EVENT_STREAM = "application/vnd.amazon.eventstream"


def operations(invoker: Invoker) -> Mapping[str, Operation]:
    """The operation with its parts bound."""

    async def invoke_with_response_stream(context: RequestContext, params: Params) -> Result:
        call = read_call(context, params, SYNC_LIMIT)
        if params.get("InvocationType") == "DryRun":
            invoker.route(call)
            return {"StatusCode": 204}
        stream = ResponseStream()
        version, running = invoker.start(call, stream)
        running.add_done_callback(lambda _: stream.close())
        await stream.begun_or_closed()
        if not stream.begun:  # it is over already, or never ran
            refuse_unless_run(await asyncio.shield(running))
        return {
            "StatusCode": 200,
            "ExecutedVersion": version,
            "ResponseStreamContentType": EVENT_STREAM,
            "EventStream": _events(stream, running, tail=params.get("LogType") == "Tail"),
        }

    return {"InvokeWithResponseStream": invoke_with_response_stream}


async def _events(
    stream: ResponseStream, running: "asyncio.Task[Outcome]", *, tail: bool
) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    try:
        async for chunk in stream.chunks():
            yield "PayloadChunk", {"Payload": chunk}
        outcome = await asyncio.shield(running)
        if outcome.payload and not outcome.is_function_error:
            yield "PayloadChunk", {"Payload": outcome.payload}
        yield "InvokeComplete", _complete(outcome, tail=tail)
    finally:
        stream.abandon()  # nothing to drop unless the reader went away


def _complete(outcome: Outcome, *, tail: bool) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    if tail:
        found["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    if outcome.is_function_error or outcome.error_code:
        found["ErrorCode"] = outcome.error_code or outcome.error_type or "Unhandled"
        found["ErrorDetails"] = outcome.payload.decode("utf-8", "replace") or outcome.reason
    return found
