"""XML documents of the query protocol (and, when S3 comes, of rest-xml), made by the standard library's tree.

Rule: text that XML cannot hold is replaced, never passed on to break the client's parser.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from penstock.gateway.contract import Result
from penstock.gateway.models import Operation, Service
from penstock.gateway.protocols.codec import Fault
from penstock.gateway.protocols.scalars import expect, format_text
from penstock.gateway.shapes import Member

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def result_document(service: Service, operation: Operation, result: Result, request_id: str) -> bytes:
    """`<XResponse><XResult>…</XResult><ResponseMetadata>…`."""
    root = Element(f"{operation.name}Response", {"xmlns": service.xml_namespace})
    if operation.output is not None:
        holder = SubElement(root, operation.result_wrapper) if operation.result_wrapper else root
        write_members(holder, operation.output.members, result)
    _text(SubElement(SubElement(root, "ResponseMetadata"), "RequestId"), request_id)
    return _bytes(root)


def fault_document(service: Service | None, fault: Fault, request_id: str) -> bytes:
    """`<ErrorResponse><Error><Type/><Code/><Message/>…</Error><RequestId/></ErrorResponse>`."""
    root = Element("ErrorResponse", {"xmlns": service.xml_namespace} if service else {})
    error = SubElement(root, "Error")
    _text(SubElement(error, "Type"), "Sender" if fault.sender else "Receiver")
    _text(SubElement(error, "Code"), fault.query_code)
    _text(SubElement(error, "Message"), fault.message)
    members = fault.shape.members if fault.shape else {}
    more = {name: value for name, value in fault.values.items() if name.lower() != "message" and name in members}
    write_members(error, members, more)
    _text(SubElement(root, "RequestId"), request_id)
    return _bytes(root)


def write_members(parent: Element, members: Mapping[str, Member], value: Mapping[str, Any]) -> None:
    """A structure's members as children of `parent`; a name the model does not have is our bug: `TypeError`."""
    for name, item in value.items():
        if item is None:
            continue
        member = members.get(name)
        if member is None:
            raise TypeError(f"the result has a member {name!r} that the model does not know")
        _write(parent, member, item, member.wire_name)


def _write(parent: Element, member: Member, value: Any, tag: str) -> None:
    match member.shape.kind:
        case "structure":
            write_members(SubElement(parent, tag), member.shape.members, value)
        case "list":
            _write_list(parent, member, value, tag)
        case "map":
            _write_map(parent, member, value, tag)
        case kind:
            expect(value, kind, member.name)
            _text(SubElement(parent, tag), format_text(value, kind, member.timestamp_format or "iso8601"))


def _write_list(parent: Element, member: Member, value: Any, tag: str) -> None:
    item = member.shape.of("item")
    if member.flattened:
        holder, item_tag = parent, item.wire_name if item.named else tag
    else:
        holder, item_tag = SubElement(parent, tag), item.wire_name if item.named else "member"
    for element in value:
        _write(holder, item, element, item_tag)


def _write_map(parent: Element, member: Member, value: Mapping[str, Any], tag: str) -> None:
    key_member, value_member = member.shape.of("key"), member.shape.of("value")
    holder = parent if member.flattened else SubElement(parent, tag)
    for key, element in value.items():
        entry = SubElement(holder, tag if member.flattened else "entry")
        _write(entry, key_member, key, key_member.wire_name)
        _write(entry, value_member, element, value_member.wire_name)


def _text(node: Element, text: str) -> None:
    node.text = _ILLEGAL.sub("\ufffd", text)


def _bytes(root: Element) -> bytes:
    # A bare carriage return would reach the reader as a newline; only its reference survives an XML parser.
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
    return text.replace(b"\r", b"&#13;")
