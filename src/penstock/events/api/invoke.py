"""The wire operation Invoke (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

Rule: everything about the request is checked before anything runs or is stored.
"""

import base64
from collections.abc import Mapping

from penstock.core.bus import Bus
from penstock.core.context import RequestContext
from penstock.events.api.call import read_call
from penstock.events.async_invoke.accept import accept
from penstock.events.invoke import ASYNC_LIMIT, SYNC_LIMIT, Call, Invoker, refuse_unless_run
from penstock.events.model import AsyncEvent
from penstock.gateway.contract import Operation, Params, Result
from penstock.store.database import Store


def operations(invoker: Invoker, store: Store, bus: Bus) -> Mapping[str, Operation]:
    """The operation with its parts bound."""

    async def invoke(context: RequestContext, params: Params) -> Result:
        kind = params.get("InvocationType", "RequestResponse")
        call = read_call(context, params, ASYNC_LIMIT if kind == "Event" else SYNC_LIMIT)
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
