"""Event streams: a reply that comes as framed messages (`application/vnd.amazon.eventstream`).

Follows https://smithy.io/2.0/aws/amazon-eventstream.html. Rule: a result's stream is an async iterator of
(member, values) pairs; what a member's shape marks as its payload travels raw, everything else as JSON.
"""

import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from penstock.gateway.protocols.json_text import JSON, dump
from penstock.gateway.protocols.trees import write_members
from penstock.gateway.shapes import Shape

CONTENT_TYPE = "application/vnd.amazon.eventstream"
STRING = 7
"""The type of a header's value: UTF-8 text behind two bytes of length."""
Events = AsyncIterator[tuple[str, Mapping[str, Any]]]


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame: lengths, their checksum, headers, payload, checksum of all."""
    block = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    body = b"".join((prelude, struct.pack(">I", zlib.crc32(prelude)), block, payload))
    return body + struct.pack(">I", zlib.crc32(body))


async def encode(shape: Shape, events: Events) -> AsyncIterator[bytes]:
    """The frames of a stream's events, as they come."""
    async for name, values in events:
        yield event(shape, name, values)


def event(shape: Shape, name: str, values: Mapping[str, Any]) -> bytes:
    """One event of the union `shape` as a frame; raises `KeyError` for a member it does not have."""
    inner = shape.members[name].shape
    raw = next((member for member in inner.members.values() if member.event_payload), None)
    if raw is not None:
        kind, payload = "application/octet-stream", bytes(values.get(raw.name) or b"")
    else:
        kind, payload = "application/json", dump(write_members(inner.members, values, JSON))
    return message({":message-type": "event", ":event-type": name, ":content-type": kind}, payload)


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(f">B{len(key)}sBH", len(key), key, STRING, len(text)) + text
