"""One request from bytes to bytes: read → identify → authenticate → decode → validate → authorise → dispatch → encode.

Rule: every way out is an AWS reply in the protocol the client spoke. What nobody foresaw is our bug: 500 with an id
that the log has too, and never a traceback on the wire.
"""

import gzip
import io
import logging
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from penstock.core.clock import Clock
from penstock.core.context import ANONYMOUS, RequestContext, Scope
from penstock.core.dice import Dice, new_uuid
from penstock.core.errors import ApiError, StoreUnavailableError
from penstock.gateway import quirks
from penstock.gateway.contract import (
    Authenticator,
    Authorizer,
    Caller,
    HttpRequest,
    HttpResponse,
    Operation,
    RawHandler,
    Result,
)
from penstock.gateway.faults import settle
from penstock.gateway.identify import REST_JSON, Claim, claim, find_call, find_service
from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Models, Service
from penstock.gateway.protocols.codec import Call, Codec
from penstock.gateway.protocols.json_rpc import JsonRpc
from penstock.gateway.protocols.query import Query
from penstock.gateway.protocols.rest_json import RestJson
from penstock.gateway.protocols.rpc_v2_cbor import RpcV2Cbor
from penstock.gateway.refusals import refuse, unreadable
from penstock.gateway.validate import violations

log = logging.getLogger(__name__)
CODECS: Mapping[str, Codec] = MappingProxyType(
    {codec.name: codec for codec in (RestJson(), JsonRpc(), Query(), RpcV2Cbor())}
)
GREETING = b"This is Penstock. Point an AWS SDK or the aws CLI here; `penstock env` prints the settings.\n"


class Gateway:
    """All services of one server behind one endpoint."""

    def __init__(
        self,
        *,
        models: Models,
        authenticator: Authenticator,
        authorizer: Authorizer,
        clock: Clock,
        dice: Dice,
        account: str,
        region: str,
        max_body_bytes: int,
    ) -> None:
        """`account` and `region` are for the few requests that need no signature."""
        self._models = models
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._clock = clock
        self._dice = dice
        self._default = Caller(ANONYMOUS, account, region, "")
        self._max_body = max_body_bytes
        self._operations: dict[str, dict[str, Operation]] = {}
        self._routes: dict[str, tuple[RawHandler, bool]] = {}
        self._prefixes: tuple[str, ...] = ()

    def mount(self, service: str, operations: Mapping[str, Operation]) -> None:
        """Serve `operations` of botocore's `service`; several rooms may share one service, not one operation."""
        model = self._models.service(service)
        served = self._operations.setdefault(service, {})
        for name, operation in operations.items():
            if model is None or name not in model.operations:
                raise ValueError(f"botocore's model has no operation {service}:{name}")
            if name in served:
                raise ValueError(f"{service}:{name} is mounted twice")
            served[name] = operation

    def served(self) -> Mapping[str, frozenset[str]]:
        """The mounted operations by service."""
        return {service: frozenset(operations) for service, operations in self._operations.items()}

    def route(self, prefix: str, handler: RawHandler, *, signed: bool) -> None:
        """Serve every path under `prefix` by `handler`; the longest prefix wins."""
        if prefix in self._routes:
            raise ValueError(f"{prefix} is routed twice")
        self._routes[prefix] = (handler, signed)
        self._routes = dict(sorted(self._routes.items(), key=lambda entry: -len(entry[0])))
        self._prefixes = tuple(self._routes)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The reply to one complete request. Never raises (but for cancellation)."""
        request_id = new_uuid(self._dice)
        claimed = Claim(REST_JSON, None)
        try:
            if request.path == "/" and request.method in {"GET", "HEAD"} and not request.query:
                return HttpResponse(200, {"Content-Type": "text/plain; charset=utf-8"}, GREETING)
            if request.path.startswith(self._prefixes):
                for prefix, (handler, signed) in self._routes.items():
                    if request.path.startswith(prefix) and request.path[len(prefix) :][:1] in {"", "/"}:
                        return await self._run_route(handler, request, request_id, signed=signed)
            try:
                claimed = claim(request)
                return await self._serve(request, claimed, request_id)
            except Malformed as error:
                service = self._service(request, claimed)
                raise unreadable(service, claimed.protocol, error) from None
        except ApiError as error:
            return self._refusal(request, claimed, error, request_id)
        except StoreUnavailableError as trouble:
            return self._failure(request, claimed, request_id, str(trouble))
        except Exception:
            log.exception("request %s (%s %s) failed by our own fault", request_id, request.method, request.path)
            return self._failure(request, claimed, request_id)

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """The refusal of a body over the limit; `request` carries the head only."""
        claimed = claim(request)
        code = quirks.too_large_code(self._service(request, claimed))
        message = f"The request body is larger than the {self._max_body} bytes that this server takes."
        return self._refusal(request, claimed, ApiError(code, message, status=413), new_uuid(self._dice))

    async def _serve(self, request: HttpRequest, claimed: Claim, request_id: str) -> HttpResponse:
        call = find_call(self._unpacked(request), claimed, self._models, tuple(self._operations))
        codec = CODECS[claimed.protocol]
        caller = self._default if call.operation.unsigned else self._authenticator.authenticate(request)
        handler = self._operations.get(call.service.name, {}).get(call.operation.name)
        if handler is None:
            raise _not_served(call, claimed.protocol)
        params = codec.decode(call)
        found = violations(call.operation, params)
        if found:
            raise refuse(call.service, call.operation, found)
        context = self._context(request, caller, request_id, call.service.name, call.operation.name)
        await self._authorizer.authorize(context, params)
        result: Result = await handler(context, params)
        return codec.encode(call, result, request_id)

    async def _run_route(
        self, handler: RawHandler, request: HttpRequest, request_id: str, *, signed: bool
    ) -> HttpResponse:
        caller = self._authenticator.authenticate(request) if signed else self._default
        context = self._context(request, caller, request_id, "penstock", request.path)
        return await handler(context, request)

    def _context(
        self, request: HttpRequest, caller: Caller, request_id: str, service: str, operation: str
    ) -> RequestContext:
        return RequestContext(
            request_id=request_id,
            scope=Scope(caller.account, caller.region),
            principal=caller.principal,
            service=service,
            operation=operation,
            received_at=self._clock.now(),
            source_ip=request.source_ip,
            user_agent=request.headers.get("user-agent", ""),
            headers=dict(request.headers),
        )

    def _unpacked(self, request: HttpRequest) -> HttpRequest:
        """The request with its body decompressed: boto3 sends large PutMetricData bodies with gzip."""
        encoding = request.headers.get("content-encoding", "").strip().lower()
        if encoding != "gzip" or not request.body:
            return request
        return request._replace(body=_gunzip(request.body, self._max_body))

    def _service(self, request: HttpRequest, claimed: Claim) -> Service | None:
        try:
            return find_service(request, claimed, self._models, tuple(self._operations))
        except Malformed:
            return None

    def _refusal(self, request: HttpRequest, claimed: Claim, error: ApiError, request_id: str) -> HttpResponse:
        service = self._service(request, claimed)
        try:
            fault = settle(error, service, claimed.protocol)
            return CODECS[claimed.protocol].encode_fault(request, service, fault, request_id)
        except (TypeError, ValueError):
            log.exception("request %s: the refusal %s does not fit its shape", request_id, error.code)
            return self._failure(request, claimed, request_id)

    def _failure(self, request: HttpRequest, claimed: Claim, request_id: str, words: str | None = None) -> HttpResponse:
        service = self._service(request, claimed)
        ours = f"Penstock failed by its own fault. The server's log tells more under error id {request_id}."
        error = ApiError(quirks.internal_code(service), words or ours, status=500)
        fault = settle(error, service, claimed.protocol)
        return CODECS[claimed.protocol].encode_fault(request, service, fault, request_id)


def _not_served(call: Call, protocol: str) -> ApiError:
    # Not 404: Terraform and CloudFormation read that as "the resource is gone" and would believe a lie.
    # Not 5xx: SDKs would retry what cannot succeed.
    message = f"Penstock does not serve {call.service.name}:{call.operation.name} yet."
    return ApiError("InvalidAction" if protocol == "query" else "UnknownOperationException", message, status=400)


def _gunzip(body: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            plain = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise Malformed("the body is not valid gzip although its Content-Encoding says so") from None
    if len(plain) > limit:
        raise ApiError(
            "RequestEntityTooLargeException",
            f"The decompressed body is larger than the {limit} bytes that this server takes.",
            status=413,
        )
    return plain
