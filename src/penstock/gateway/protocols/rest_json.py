"""REST with JSON bodies (Lambda): labels in the path, the rest in query, headers, a JSON body or a raw payload.

Follows https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html.
"""

from typing import Any
from urllib.parse import parse_qs

from penstock.gateway.contract import HttpRequest, HttpResponse, Params, Result
from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Service
from penstock.gateway.protocols import event_stream
from penstock.gateway.protocols.codec import Call, Fault, fault_headers
from penstock.gateway.protocols.json_text import JSON, dump, fault_document, parse
from penstock.gateway.protocols.locations import read_located, write_located
from penstock.gateway.protocols.scalars import expect
from penstock.gateway.protocols.trees import read, read_members, write, write_members
from penstock.gateway.shapes import Member

MAX_QUERY_FIELDS = 1000


class RestJson:
    """The `rest-json` protocol."""

    name = "rest-json"

    def decode(self, call: Call) -> Params:
        params = read_located(call.operation.located, call.labels, _query(call.request), call.request.headers)
        shape = call.operation.input
        if shape is None:
            return params
        if shape.payload is not None:
            member = shape.members[shape.payload]
            value = _read_payload(member, call.request.body)
            if value is not None and (value or member.name in shape.required):
                params[member.name] = value
        elif call.operation.body:
            params.update(read_members(call.operation.body, parse(call.request.body), JSON))
        return params

    def encode(self, call: Call, result: Result, request_id: str) -> HttpResponse:
        operation = call.operation
        headers = {"x-amzn-RequestId": request_id, "Content-Type": "application/json"}
        shape = operation.output
        if shape is None:
            return HttpResponse(operation.status, headers, b"" if operation.status == 204 else b"{}")
        status = write_located(operation.out_located, result, headers) or operation.status
        if shape.payload is not None:
            member = shape.members[shape.payload]
            if member.shape.event_stream and result.get(member.name) is not None:
                return HttpResponse(status, headers, event_stream.encode(member.shape, result[member.name]))
            return HttpResponse(status, headers, _write_payload(member, result))
        if status == 204:
            return HttpResponse(status, headers)
        outside = {member.name for member in operation.out_located}
        body = {name: value for name, value in result.items() if name not in outside}
        return HttpResponse(status, headers, dump(write_members(shape.members, body, JSON)))

    def encode_fault(
        self, _request: HttpRequest, _service: Service | None, fault: Fault, request_id: str
    ) -> HttpResponse:
        headers = fault_headers(fault, request_id)
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": fault.code}
        if fault.shape is not None:
            outside = [member for member in fault.shape.members.values() if member.location]
            write_located(outside, fault.values, headers)
        return HttpResponse(fault.status, headers, fault_document(fault, {}))


def _query(request: HttpRequest) -> dict[str, list[str]]:
    if not request.query:
        return {}
    try:
        return parse_qs(request.query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except UnicodeDecodeError:
        raise Malformed("the query string is not UTF-8") from None
    except ValueError:
        raise Malformed(f"the query string has more than {MAX_QUERY_FIELDS} fields") from None


def _read_payload(member: Member, body: bytes) -> Any:
    if member.shape.kind == "blob":
        return body
    if member.shape.kind == "string":
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise Malformed("the body is not UTF-8").inside(member.name) from None
    return read(member, parse(body), JSON) if body else None


def _write_payload(member: Member, result: Result) -> bytes:
    value = result.get(member.name)
    if value is None:
        return b""
    if member.shape.kind in {"blob", "string"}:
        expect(value, member.shape.kind, member.name)
        return value.encode() if isinstance(value, str) else bytes(value)
    return dump(write(member, value, JSON))
