"""Which service, operation and protocol a request is for.

Rule: the protocol from the request's form, the service from the signature's scope, then `X-Amz-Target`, then the
path; everything here is only *claimed* until authentication has checked it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest
from penstock.gateway.models import Models, Service
from penstock.gateway.protocols.codec import Call
from penstock.gateway.protocols.query import is_form

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]*/([^/,\s]+)/aws4_request")
_RPC_V2 = re.compile(r"/service/([^/]+)/operation/([^/]+)/?")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]*)")
CBOR, JSON, QUERY, REST_JSON = "smithy-rpc-v2-cbor", "json", "query", "rest-json"


class Claim(NamedTuple):
    """What the request says of itself, before anything is looked up."""

    protocol: str
    signing_name: str | None
    """From the signature's scope; None when the request is not signed."""
    target_prefix: str | None = None
    operation: str | None = None
    """From the path or the target; the query protocol keeps it in the form (`_operation_name`)."""


def claim(request: HttpRequest) -> Claim:
    """What line and headers say; the body is not looked at, so this never fails."""
    signing_name = _signing_name(request)
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor" and (rpc := _RPC_V2.fullmatch(request.path)):
        return Claim(CBOR, signing_name, rpc[1].rpartition(".")[2], rpc[2])
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, operation = target.rpartition(".")
        return Claim(JSON, signing_name, prefix, operation)
    if (request.path == "/" and is_form(request)) or (request.query and _ACTION.search(request.query.encode())):
        return Claim(QUERY, signing_name)
    return Claim(REST_JSON, signing_name)


def find_call(request: HttpRequest, claimed: Claim, models: Models, mounted: Sequence[str]) -> Call:
    """The operation meant; raises `ApiError` when there is none, and `Malformed` for an undecodable path."""
    service = find_service(request, claimed, models, mounted)
    if service is None:
        raise _unknown_service(request, claimed)
    if claimed.protocol == REST_JSON:
        found = service.router.match(request.method, request.path, request.query)
        if found is None:
            raise _unknown_operation(claimed, f"{request.method} {request.path}", service)
        return Call(service, service.operations[found.operation], request, found.labels)
    named = _operation_name(request, claimed)
    operation = service.operations.get(named)
    if operation is None or claimed.protocol not in service.protocols:
        raise _unknown_operation(claimed, named or "(none)", service)
    return Call(service, operation, request)


def find_service(request: HttpRequest, claimed: Claim, models: Models, mounted: Sequence[str]) -> Service | None:
    """The service meant; for unsigned requests the first mounted one that fits."""
    if claimed.signing_name is not None:
        found = models.by_signing_name(claimed.signing_name, mounted)
        if found is not None:
            return found
    services = [service for name in mounted if (service := models.service(name)) is not None]
    if claimed.target_prefix is not None:
        return next((service for service in services if service.target_prefix == claimed.target_prefix), None)
    if claimed.protocol == QUERY:
        named = _operation_name(request, claimed)
        return next((found for found in services if QUERY in found.protocols and named in found.operations), None)
    rest = [service for service in services if service.is_rest]
    return next((found for found in rest if found.router.match(request.method, request.path, request.query)), None)


def _operation_name(request: HttpRequest, claimed: Claim) -> str:
    if claimed.protocol != QUERY:
        return claimed.operation or ""
    # Only looked for, not parsed: the form is parsed once, when the operation is known.
    found = _ACTION.search(request.body) or _ACTION.search(request.query.encode())
    return found[1].decode() if found else ""


def _signing_name(request: HttpRequest) -> str | None:
    header = _SCOPE.search(request.headers.get("authorization", ""))
    if header is not None:
        return header[1]
    if "X-Amz-Credential" in request.query:
        scope = parse_qs(request.query).get("X-Amz-Credential", [""])[0].split("/")
        return scope[3] if len(scope) == 5 else None
    return None


def _unknown_service(request: HttpRequest, claimed: Claim) -> ApiError:
    named = claimed.signing_name or claimed.target_prefix or f"{request.method} {request.path}"
    # A signed request for a service we lack is no 404: clients read that as "the resource is gone".
    status = 404 if claimed.protocol in {REST_JSON, CBOR} and claimed.signing_name is None else 400
    return ApiError(
        "InvalidAction" if claimed.protocol == QUERY else "UnknownOperationException",
        f"Penstock serves no AWS service known as {named[:120]!r}. Check the client's endpoint and service name.",
        status=status,
    )


def _unknown_operation(claimed: Claim, named: str, service: Service) -> ApiError:
    if claimed.protocol == QUERY:
        message = f"Could not find operation {named[:120]} for version {service.api_version}"
        return ApiError("InvalidAction", message, status=400)
    message = f"{service.name} has no operation {named[:120]} in the {claimed.protocol} protocol."
    return ApiError("UnknownOperationException", message, status=400 if claimed.protocol == JSON else 404)
