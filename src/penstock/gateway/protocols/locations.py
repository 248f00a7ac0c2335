"""Members outside the body: path labels, query string, headers and the status code (all REST protocols).

Rule: read as text by the member's own kind; a member that is not there is absent.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from penstock.gateway.contract import Result
from penstock.gateway.malformed import Malformed
from penstock.gateway.protocols.scalars import expect, format_text, parse_text
from penstock.gateway.shapes import Member

Query = Mapping[str, list[str]]


def read_located(
    members: Iterable[Member], labels: Mapping[str, str], query: Query, headers: Mapping[str, str]
) -> dict[str, Any]:
    """The values of the members that travel outside the body; raises `Malformed`."""
    found: dict[str, Any] = {}
    for member in members:
        try:
            value = _read_one(member, labels, query, headers)
        except Malformed as error:
            raise error.inside(member.name) from None
        if value is not None:
            found[member.name] = value
    return found


def _read_one(member: Member, labels: Mapping[str, str], query: Query, headers: Mapping[str, str]) -> Any:
    match member.location:
        case "uri":
            text = labels.get(member.wire_name)
            return None if text is None else parse_text(text, member.shape.kind, member.timestamp_format or "iso8601")
        case "querystring":
            return _read_query(member, query)
        case "headers":
            prefix = member.wire_name.lower()
            return {name[len(prefix) :]: text for name, text in headers.items() if name.startswith(prefix)} or None
        case _:
            text = headers.get(member.wire_name.lower())
            return None if text is None else _read_header(member, text)


def _read_query(member: Member, query: Query) -> Any:
    form = member.timestamp_format or "iso8601"
    if member.shape.kind == "map":
        return {key: values[-1] for key, values in query.items()} or None
    values = query.get(member.wire_name)
    if values is None:
        return None
    if member.shape.kind == "list":
        item = member.shape.of("item")
        return [parse_text(text, item.shape.kind, item.timestamp_format or form) for text in values]
    return parse_text(values[-1], member.shape.kind, form)


def _read_header(member: Member, text: str) -> Any:
    if member.json_value:
        try:
            return orjson.loads(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise Malformed("the header is not base64 of valid JSON") from None
    if member.shape.kind == "list":
        item = member.shape.of("item")
        form = item.timestamp_format or "rfc822"
        return [parse_text(part.strip(), item.shape.kind, form) for part in text.split(",")]
    return parse_text(text, member.shape.kind, member.timestamp_format or "rfc822")


def write_located(members: Iterable[Member], result: Result, headers: dict[str, str]) -> int | None:
    """Put the header members into `headers`; the status code if a member carries it."""
    status = None
    for member in members:
        value = result.get(member.name)
        if value is None:
            continue
        if member.location == "statusCode":
            expect(value, "integer", member.name)
            status = int(value)
        elif member.location == "headers":
            headers.update({member.wire_name + key: str(text) for key, text in value.items()})
        elif member.shape.kind == "list":
            item = member.shape.of("item")
            headers[member.wire_name] = ",".join(format_text(part, item.shape.kind, "rfc822") for part in value)
        else:
            expect(value, member.shape.kind, member.name)
            headers[member.wire_name] = format_text(value, member.shape.kind, member.timestamp_format or "rfc822")
    return status
