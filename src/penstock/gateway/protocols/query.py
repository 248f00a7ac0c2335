"""AWS query: a form in (`Action`, dotted keys), XML out (STS, CloudWatch with an older SDK).

Follows https://smithy.io/2.0/aws/protocols/aws-query-protocol.html.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from penstock.gateway.contract import HttpRequest, HttpResponse, Params, Result
from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Service
from penstock.gateway.protocols import xml_text
from penstock.gateway.protocols.codec import Call, Fault
from penstock.gateway.protocols.scalars import parse_text
from penstock.gateway.shapes import Member, Shape

MAX_FIELDS = 100_000
MAX_DEPTH = 32
_FORM_TYPE = "application/x-www-form-urlencoded"

Node = dict[str, Any]
"""A form as a tree: dotted keys become nested dicts, a value sits under the empty key."""


class Query:
    """The `query` protocol."""

    name = "query"

    def decode(self, call: Call) -> Params:
        shape = call.operation.input
        return _read_structure(shape, tree(form(call.request))) if shape else {}

    def encode(self, call: Call, result: Result, request_id: str) -> HttpResponse:
        body = xml_text.result_document(call.service, call.operation, result, request_id)
        return HttpResponse(200, _headers(request_id), body)

    def encode_fault(
        self, _request: HttpRequest, service: Service | None, fault: Fault, request_id: str
    ) -> HttpResponse:
        return HttpResponse(fault.status, _headers(request_id), xml_text.fault_document(service, fault, request_id))


def form(request: HttpRequest) -> dict[str, str]:
    """The fields of the URL's query and of the form body together; raises `Malformed`."""
    fields: dict[str, str] = {}
    for source in (request.query, _body_text(request)):
        if not source:
            continue
        try:
            fields.update(parse_qsl(source, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
        except UnicodeDecodeError:
            raise Malformed("the form is not UTF-8") from None
        except ValueError:
            raise Malformed(f"the form has more than {MAX_FIELDS} fields") from None
    return fields


def is_form(request: HttpRequest) -> bool:
    """Whether the body is a form, which is how the query protocol posts."""
    return request.headers.get("content-type", "").startswith(_FORM_TYPE)


def _body_text(request: HttpRequest) -> str:
    if not request.body or not is_form(request):
        return ""
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise Malformed("the form is not UTF-8") from None


def tree(fields: Mapping[str, str]) -> Node:
    """`A.member.1.B=x` as `{"A": {"member": {"1": {"B": {"": "x"}}}}}`; raises `Malformed` when nested too deep."""
    root: Node = {}
    for key, value in fields.items():
        steps = key.split(".")
        if len(steps) > MAX_DEPTH:
            raise Malformed(f"a parameter name has more than {MAX_DEPTH} parts")
        node = root
        for step in steps:
            node = node.setdefault(step, {})
        node[""] = value
    return root


def _read_structure(shape: Shape, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for member in shape.members.values():
        child = node.get(_flat_name(member))
        if child is None:
            continue
        try:
            found[member.name] = _read(member, child)
        except Malformed as error:
            raise error.inside(member.name) from None
    return found


def _flat_name(member: Member) -> str:
    """A flattened list takes the name of its items, when they have one."""
    if member.flattened and member.shape.kind == "list" and member.shape.of("item").named:
        return member.shape.of("item").wire_name
    return member.wire_name


def _read(member: Member, node: Node) -> Any:
    match member.shape.kind:
        case "structure":
            return _read_structure(member.shape, node)
        case "list":
            return _read_list(member, node)
        case "map":
            return _read_map(member, node)
    text = node.get("")
    if text is None:
        raise Malformed("a plain value is expected here, not a structure")
    return parse_text(text, member.shape.kind, member.timestamp_format or "iso8601")


def _read_list(member: Member, node: Node) -> list[Any]:
    item = member.shape.of("item")
    entries = node if member.flattened else node.get(item.wire_name if item.named else "member", {})
    found = []
    for index, child in _numbered(entries):
        try:
            found.append(_read(item, child))
        except Malformed as error:
            raise error.inside(str(index)) from None
    return found


def _read_map(member: Member, node: Node) -> dict[str, Any]:
    key_member, value_member = member.shape.of("key"), member.shape.of("value")
    entries = node if member.flattened else node.get("entry", {})
    found: dict[str, Any] = {}
    for index, child in _numbered(entries):
        key, value = child.get(key_member.wire_name), child.get(value_member.wire_name)
        if key is None or value is None:
            raise Malformed("a map entry needs a key and a value").inside(str(index))
        found[str(_read(key_member, key))] = _read(value_member, value)
    return found


def _numbered(entries: Node) -> list[tuple[int, Node]]:
    """The children `1`, `2`, … in order; gaps are closed, as AWS closes them."""
    found = []
    for step, child in entries.items():
        if step == "":
            continue
        if not (step.isascii() and step.isdigit() and len(step) < 10):
            raise Malformed(f"'{step[:40]}' is not a position in a list")
        found.append((int(step), child))
    return sorted(found, key=lambda entry: entry[0])


def _headers(request_id: str) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}
