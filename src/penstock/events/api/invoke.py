"""The wire operation Invoke (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

Rule: everything about the request is checked before anything runs or is stored.
"""

import base64
from collections.abc import Mapping

import orjson

from penstock.core.arns import function_arn
from penstock.core.bus import Bus
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.events.async_invoke.accept import accept
from penstock.events.invoke import ASYNC_LIMIT, SYNC_LIMIT, Call, Invoker, refuse_unless_run
from penstock.events.model import AsyncEvent
from penstock.gateway.contract import Operation, Params, Result
from penstock.registry.reference import read_reference
from penstock.store.database import Store

CLIENT_CONTEXT_LIMIT = 3583


def operations(invoker: Invoker, store: Store, bus: Bus) -> Mapping[str, Operation]:
    """The operation with its parts bound."""

    async def invoke(context: RequestContext, params: Params) -> Result:
        call = _call(context, params)
        kind = params.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            invoker.route(call)
            return {"StatusCode": 204}
        if kind == "Event":
            invoker.route(call)
            await accept(store, bus, _event(context, call))
            return {"StatusCode": 202, "Payload": b""}
        outcome = await invoker.run(call)
        refuse_unless_run(outcome)
        return {
            "StatusCode": 200,
            "Payload": outcome.payload,
            "ExecutedVersion": outcome.version,
            "FunctionError": "Unhandled" if outcome.is_function_error else None,
            "LogResult": base64.b64encode(outcome.log_tail).decode() if params.get("LogType") == "Tail" else None,
        }

    return {"Invoke": invoke}


def _call(context: RequestContext, params: Params) -> Call:
    reference = read_reference(context, params["FunctionName"], params.get("Qualifier"))
    payload = params.get("Payload") or b"{}"
    _check_payload(payload, ASYNC_LIMIT if params.get("InvocationType") == "Event" else SYNC_LIMIT)
    return Call(
        request_id=context.request_id,
        scope=context.scope,
        function=reference.name,
        qualifier=reference.qualifier,
        payload=payload,
        invoked_arn=function_arn(context.scope, reference.name, reference.qualifier),
        client_context=_client_context(params.get("ClientContext")),
        trace_header=context.headers.get("x-amzn-trace-id"),
    )


def _check_payload(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise ApiError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
            fields={"Type": "User"},
        )
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ApiError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: {error}",
            fields={"Type": "User"},
        ) from error


def _client_context(header: str | None) -> str | None:
    if header is None:
        return None
    try:
        decoded = base64.b64decode(header, validate=True)
        if len(decoded) <= CLIENT_CONTEXT_LIMIT and isinstance(orjson.loads(decoded), dict):
            return decoded.decode()
    except ValueError:  # of base64, of JSON, of UTF-8, and of a header that is not even ASCII
        pass
    raise ApiError(
        "InvalidRequestContentException",
        f"Client context must be a valid Base64-encoded JSON object of at most {CLIENT_CONTEXT_LIMIT} bytes.",
        fields={"Type": "User"},
    )


def _event(context: RequestContext, call: Call) -> AsyncEvent:
    return AsyncEvent(
        id=call.request_id,
        scope=call.scope,
        function=call.function,
        qualifier=call.qualifier,
        payload=call.payload,
        invoked_arn=call.invoked_arn,
        accepted_at=context.received_at,
        next_at=context.received_at,
        client_context=call.client_context,
        trace_header=call.trace_header,
    )
