"""AWS JSON 1.0 and 1.1: one path, the operation in `X-Amz-Target`, JSON both ways.

Follows https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html; the reply's content type mirrors the request's.
"""

from penstock.gateway.contract import HttpRequest, HttpResponse, Params, Result
from penstock.gateway.models import Service
from penstock.gateway.protocols.codec import Call, Fault, fault_headers
from penstock.gateway.protocols.json_text import JSON, dump, fault_document, parse
from penstock.gateway.protocols.trees import read_members, write_members


class JsonRpc:
    """The `json` protocol."""

    name = "json"

    def decode(self, call: Call) -> Params:
        shape = call.operation.input
        return read_members(shape.members.values(), parse(call.request.body), JSON) if shape else {}

    def encode(self, call: Call, result: Result, request_id: str) -> HttpResponse:
        shape = call.operation.output
        headers = {"x-amzn-RequestId": request_id, "Content-Type": _content_type(call.request)}
        # An operation without output has an empty body; botocore and the Java SDK both take `{}` or nothing.
        body = dump(write_members(shape.members, result, JSON)) if shape else b"{}"
        return HttpResponse(200, headers, body)

    def encode_fault(
        self, request: HttpRequest, _service: Service | None, fault: Fault, request_id: str
    ) -> HttpResponse:
        headers = fault_headers(fault, request_id) | {"Content-Type": _content_type(request)}
        return HttpResponse(fault.status, headers, fault_document(fault, {"__type": fault.code}))


def _content_type(request: HttpRequest) -> str:
    sent = request.headers.get("content-type", "")
    return "application/x-amz-json-1.0" if "x-amz-json-1.0" in sent else "application/x-amz-json-1.1"
