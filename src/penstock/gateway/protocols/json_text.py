"""JSON text ↔ parameters, for the two protocols that speak JSON.

Rule: strict JSON (UTF-8, no NaN, bounded depth: orjson's), numbers for times unless the model says otherwise.
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from penstock.gateway.malformed import Malformed
from penstock.gateway.protocols.codec import Fault
from penstock.gateway.protocols.scalars import (
    format_time,
    parse_time,
    plain_seconds,
    read_base64,
    read_epoch,
    special_float,
)
from penstock.gateway.protocols.trees import Dialect, write_members
from penstock.gateway.shapes import Member


def _read_timestamp(raw: Any, member: Member) -> float:
    if isinstance(raw, str):
        # Numbers are the rule, but AWS takes an ISO string too, and some clients send one.
        return parse_time(raw, member.timestamp_format or "iso8601")
    return read_epoch(raw)


def _write_timestamp(value: float, member: Member) -> Any:
    form = member.timestamp_format or "unixTimestamp"
    return plain_seconds(value) if form == "unixTimestamp" else format_time(value, form)


JSON = Dialect(
    read_timestamp=_read_timestamp,
    read_blob=lambda raw, _: read_base64(raw),
    write_timestamp=_write_timestamp,
    write_blob=lambda value, _: base64.b64encode(value).decode(),
    write_float=lambda value, _: special_float(value),
)


def parse(body: bytes) -> Any:
    """The document, or an empty object for an empty body; raises `Malformed`."""
    if not body:
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the body is not valid JSON ({str(error)[:120]})") from None


def dump(document: Any) -> bytes:
    """Compact JSON."""
    return orjson.dumps(document)


def fault_document(fault: Fault, extra: Mapping[str, Any]) -> bytes:
    """An error's body: `extra` first, then the members that the error's shape has."""
    if fault.shape is None:
        return dump({**extra, **fault.values})
    body = {name: member for name, member in fault.shape.members.items() if member.location is None}
    modelled = {name: value for name, value in fault.values.items() if name in body}
    unmodelled = {name: value for name, value in fault.values.items() if name not in fault.shape.members}
    return dump({**extra, **unmodelled, **write_members(body, modelled, JSON)})
