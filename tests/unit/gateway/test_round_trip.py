"""What botocore serialises our parsers read to the same values, and what we serialise botocore parses back.

For every operation of every service served, in every protocol the service speaks.
"""

import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.bench import Sdk
from gateway.strategies import XML_TEXT, Style, everything, structure
from penstock.gateway.contract import HttpResponse
from penstock.gateway.identify import claim, find_call
from penstock.gateway.models import Models, Operation
from penstock.gateway.pipeline import CODECS
from penstock.gateway.protocols.codec import Call
from penstock.gateway.validate import violations

SERVICES = ("lambda", "cloudwatch", "logs", "codedeploy", "sts")
MODELS = Models()
SDKS = {name: Sdk(name) for name in SERVICES}
EXAMPLES = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def combinations() -> list[Any]:
    found = []
    for name in SERVICES:
        service = MODELS.service(name)
        assert service is not None
        found += [
            pytest.param(name, protocol, operation, id=f"{name}-{protocol}-{operation}")
            for protocol in service.protocols
            for operation in service.operations
        ]
    return found


def operation_of(service: str, name: str) -> Operation:
    model = MODELS.service(service)
    assert model is not None
    return model.operations[name]


@pytest.mark.parametrize(("service", "protocol", "name"), combinations())
def test_what_botocore_sends_we_read(service: str, protocol: str, name: str) -> None:
    operation = operation_of(service, name)
    if operation.input is None:
        params: st.SearchStrategy[dict[str, Any]] = st.just({})
    else:
        style = Style(no_empty=protocol == "query" or operation.input.payload is not None)
        params = structure(operation.input, style)

    @EXAMPLES
    @given(params)
    def check(given_params: dict[str, Any]) -> None:
        assert violations(operation, read_back(service, protocol, operation, given_params)) == []

    check()
    if operation.input is not None:
        read_back(service, protocol, operation, everything(operation.input))


def read_back(service: str, protocol: str, operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    request = SDKS[service].request(operation.name, protocol, params)
    claimed = claim(request)
    call = find_call(request, claimed, MODELS, SERVICES)
    assert (call.service.name, call.operation.name, claimed.protocol) == (service, operation.name, protocol)
    decoded = CODECS[protocol].decode(call)
    assert comparable(decoded) == comparable(params)
    return decoded


@pytest.mark.parametrize(("service", "protocol", "name"), combinations())
def test_what_we_send_botocore_reads(service: str, protocol: str, name: str) -> None:
    operation = operation_of(service, name)
    shape = operation.output
    if shape is not None and any(member.shape.event_stream for member in shape.members.values()):
        pytest.skip("event streams come with response streaming")
    # botocore leaves "NaN" a string when it comes in JSON, so no special floats there.
    alphabet = XML_TEXT if protocol == "query" else Style().alphabet
    style = Style(alphabet=alphabet, valid=False, special_floats=protocol not in {"json", "rest-json"})
    results: st.SearchStrategy[dict[str, Any]] = st.just({}) if shape is None else structure(shape, style)

    @EXAMPLES
    @given(results)
    def check(drawn: dict[str, Any]) -> None:
        parse_back(service, protocol, operation, drawn)

    check()
    if shape is not None:
        parse_back(service, protocol, operation, everything(shape))


def parse_back(service: str, protocol: str, operation: Operation, drawn: dict[str, Any]) -> None:
    payload = operation.output.payload if operation.output is not None else None
    response = encode(service, protocol, operation, seconds(drawn))
    assert response.headers["x-amzn-RequestId"] == "request-1"
    if payload is not None:  # botocore leaves raw payloads to its HTTP layer
        assert response.body == drawn.pop(payload, b"")
        response = HttpResponse(response.status, response.headers, b"")
    parsed = SDKS[service].parse(operation.name, protocol, response)
    # botocore's CBOR parser does not look for the id when the operation has no output.
    assert parsed.pop("ResponseMetadata").get("RequestId", "request-1") == "request-1"
    for extra in set(parsed) - set(drawn):  # a status code and an empty payload are always there
        assert extra == payload or isinstance(parsed[extra], int)
        del parsed[extra]
    assert comparable(parsed) == comparable(drawn)


def encode(service: str, protocol: str, operation: Operation, result: dict[str, Any]) -> HttpResponse:
    model = MODELS.service(service)
    assert model is not None
    call = Call(model, operation, SDKS[service].request(operation.name, protocol, _labels(operation)))
    response = CODECS[protocol].encode(call, result, "request-1")
    assert isinstance(response.body, bytes)
    return response


def _labels(operation: Operation) -> dict[str, Any]:
    return {member.name: "x" for member in operation.located if member.location == "uri"}


def seconds(value: Any) -> Any:
    """Datetimes as our operations give them: float epoch seconds."""
    match value:
        case dict():
            return {key: seconds(held) for key, held in value.items()}
        case list():
            return [seconds(held) for held in value]
        case datetime():
            return value.timestamp()
    return value


def comparable(value: Any) -> Any:
    """NaN equal to itself, datetimes and timestamps equal to the millisecond."""
    match value:
        case dict():
            return {key: comparable(held) for key, held in value.items()}
        case list():
            return [comparable(held) for held in value]
        case datetime():
            return round(value.timestamp(), 3)
        case float() if math.isnan(value):
            return "NaN"
        case float() if not value.is_integer() and abs(value) > 1:
            return value
    return value


def test_every_protocol_of_every_service_is_covered() -> None:
    seen = {(param.values[0], param.values[1]) for param in combinations()}
    assert seen == {
        ("lambda", "rest-json"),
        ("cloudwatch", "smithy-rpc-v2-cbor"),
        ("cloudwatch", "json"),
        ("cloudwatch", "query"),
        ("logs", "json"),
        ("codedeploy", "smithy-rpc-v2-cbor"),
        ("codedeploy", "json"),
        ("sts", "query"),
    }
