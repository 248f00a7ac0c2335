"""A gateway with a fake authenticator, and requests as boto3 would send them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from penstock.core.clock import MockClock
from penstock.core.context import Principal, RequestContext
from penstock.core.dice import SeededDice
from penstock.core.errors import ApiError
from penstock.gateway.contract import Caller, HttpRequest, HttpResponse, Params, Result
from penstock.gateway.models import Models
from penstock.gateway.pipeline import Gateway

ACCOUNT = "000000000000"
SIGNING = {"cloudwatch": "monitoring"}


class FakeAuthenticator:
    """Takes anything that carries an Authorization header with a scope."""

    def authenticate(self, request: HttpRequest) -> Caller:
        header = request.headers.get("authorization")
        if header is None:
            raise ApiError("MissingAuthenticationToken", "Request is missing Authentication Token")
        if "BADKEY" in header:
            raise ApiError("InvalidClientTokenId", "The security token included in the request is invalid.")
        principal = Principal("arn:aws:iam::000000000000:user/admin", "AID", "AK")
        return Caller(principal, ACCOUNT, "eu-west-1", header.split("/")[3])


class Allow:
    async def authorize(self, context: RequestContext, params: Params) -> None:
        if context.operation == "DeleteFunction":
            raise ApiError("AccessDeniedException", "User is not authorized to perform: lambda:DeleteFunction")


def signed(service: str) -> str:
    name = SIGNING.get(service, service)
    return f"AWS4-HMAC-SHA256 Credential=AK/20270115/eu-west-1/{name}/aws4_request, SignedHeaders=host, Signature=0"


@dataclass
class Bench:
    """A gateway whose operations answer what the test put in `results`, and remember what they were given."""

    gateway: Gateway
    results: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[RequestContext, Params]] = field(default_factory=list)

    def serve(self, service: str, *names: str) -> None:
        self.gateway.mount(service, {name: self._operation(name) for name in names})

    def _operation(self, name: str) -> Callable[[RequestContext, Params], Any]:
        async def operation(context: RequestContext, params: Params) -> Result:
            self.calls.append((context, params))
            result = self.results.get(name, {})
            if isinstance(result, Exception):
                raise result
            return result

        return operation

    def send(self, request: HttpRequest) -> HttpResponse:
        return asyncio.run(self.gateway.handle(request))


def make_bench(models: Models) -> Bench:
    """A gateway over `models` with nothing mounted yet."""
    gateway = Gateway(
        models=models,
        authenticator=FakeAuthenticator(),
        authorizer=Allow(),
        clock=MockClock(),
        dice=SeededDice(1),
        account=ACCOUNT,
        region="us-east-1",
        max_body_bytes=1024 * 1024,
    )
    return Bench(gateway)


class Sdk:
    """botocore's own serialisers and parsers for one service, without HTTP."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.model = ServiceModel(Loader().load_service_model(service, "service-2"), service)

    def request(self, operation: str, protocol: str, params: Mapping[str, Any]) -> HttpRequest:
        raw = create_serializer(protocol, include_validation=False).serialize_to_request(
            dict(params), self.model.operation_model(operation)
        )
        return as_request(raw, self.service)

    def parse(self, operation: str, protocol: str, response: HttpResponse) -> dict[str, Any]:
        assert isinstance(response.body, bytes)
        shape = self.model.operation_model(operation).output_shape
        headers = {name.lower(): value for name, value in response.headers.items()}
        raw = {"headers": _CaseBlind(headers), "status_code": response.status, "body": response.body}
        return create_parser(protocol).parse(raw, shape)


class _CaseBlind(dict[str, str]):
    """Headers as botocore's HTTP session hands them over."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def as_request(raw: Mapping[str, Any], service: str) -> HttpRequest:
    """Botocore's request dict as the gateway receives it."""
    path, _, constant = raw["url_path"].partition("?")
    query = urlencode(raw["query_string"], doseq=True) if raw["query_string"] else ""
    body = raw["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    headers = {name.lower(): str(value) for name, value in raw["headers"].items()}
    headers["authorization"] = signed(service)
    return HttpRequest(
        method=raw["method"],
        path=path,
        query="&".join(part for part in (constant, query) if part),
        headers=headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
        source_ip="192.0.2.1",
    )
