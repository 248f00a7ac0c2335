"""What every protocol offers the pipeline, and how a refusal looks before it is spelled.

Rule: a codec knows bytes, headers and shapes; it knows no service by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from penstock.gateway.contract import HttpRequest, HttpResponse, Params, Result
from penstock.gateway.models import Operation, Service
from penstock.gateway.shapes import Shape


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal, settled: what every protocol needs to spell it."""

    code: str
    """The shape's name where the model has one, else the code as raised."""
    query_code: str
    message: str
    status: int
    sender: bool
    shape: Shape | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """The error shape's members by name, message included."""
    query_compatible: bool = False


class Call(NamedTuple):
    """One decoded-to-be request: where it goes, and its path labels."""

    service: Service
    operation: Operation
    request: HttpRequest
    labels: Mapping[str, str] = MappingProxyType({})


class Codec(Protocol):
    """One protocol."""

    name: str

    def decode(self, call: Call) -> Params:
        """The operation's input; raises `Malformed`."""

    def encode(self, call: Call, result: Result, request_id: str) -> HttpResponse:
        """The reply; raises `TypeError` when the result does not fit the model."""

    def encode_fault(
        self, request: HttpRequest, service: Service | None, fault: Fault, request_id: str
    ) -> HttpResponse:
        """The refusal; `service` is None when it was never found out."""


def fault_headers(fault: Fault, request_id: str) -> dict[str, str]:
    """The headers that any reply of the JSON and CBOR protocols carries when it refuses."""
    headers = {"x-amzn-RequestId": request_id}
    if fault.query_compatible:
        # Tells an SDK that grew up with the query protocol the code it used to see.
        # https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
        headers["x-amzn-query-error"] = f"{fault.query_code};{'Sender' if fault.sender else 'Receiver'}"
    return headers
