"""The parameters that every way of invoking shares, read into a `Call`. Rule: everything about the request is checked
before anything runs or is stored.
"""

import base64

import orjson

from penstock.core.arns import function_arn
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.events.invoke import Call
from penstock.gateway.contract import Params
from penstock.registry.reference import read_reference

CLIENT_CONTEXT_LIMIT = 3583


def read_call(context: RequestContext, params: Params, limit: int) -> Call:
    """The call; raises `ApiError` for a payload over `limit` bytes, or one that is not JSON."""
    reference = read_reference(context, params["FunctionName"], params.get("Qualifier"))
    payload = params.get("Payload") or b"{}"
    _check_payload(payload, limit)
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
