"""Events are stored many to a row: a chunk holds one stream's events of one flush, compressed.

Rule: a chunk spans at most `SPAN_MS`, so a reader that starts at an instant knows how far back a chunk may begin; and
at most `CHUNK_BYTES`, so reading one event never unpacks much.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

SPAN_MS = 15 * 60 * 1000
CHUNK_BYTES = 256 * 1024
MESSAGE_BYTES = 1024 * 1024
"""AWS's limit of one event."""
OVERHEAD = 26
"""What AWS counts for an event besides its message."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events of one stream, ready to be stored, in order of time."""

    first_ms: int
    last_ms: int
    count: int
    size: int
    """Bytes as AWS counts them: messages in UTF-8 and `OVERHEAD` each."""
    data: bytes


def pack(events: Iterable[tuple[int, str]]) -> list[Chunk]:
    """Chunks of `(at_ms, message)` pairs; equal times keep their order."""
    return [_encode(part) for part in _parts(sorted(events, key=lambda event: event[0]))]


def unpack(first_ms: int, data: bytes) -> Iterator[tuple[int, str]]:
    """The events of a chunk, in order."""
    offsets, messages = orjson.loads(zlib.decompress(data))
    return ((first_ms + offset, message) for offset, message in zip(offsets, messages, strict=True))


def split_message(message: str) -> list[str]:
    """A message in pieces of at most `MESSAGE_BYTES` bytes, so that no line is too long to be read back."""
    if len(message) * 4 <= MESSAGE_BYTES or len(raw := clean(message).encode()) <= MESSAGE_BYTES:
        return [message]
    pieces = []
    while raw:
        end = MESSAGE_BYTES
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # do not cut a character in two
            end -= 1
        pieces.append(raw[:end].decode())
        raw = raw[end:]
    return pieces


def clean(message: str) -> str:
    """The message as valid UTF-8: a lone surrogate, which a handler can print, becomes a question mark."""
    return message.encode("utf-8", "replace").decode()


def _parts(events: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    part: list[tuple[int, str]] = []
    size = 0
    for at_ms, message in events:
        size += len(message) + OVERHEAD
        if part and (at_ms - part[0][0] > SPAN_MS or size > CHUNK_BYTES):
            yield part
            part, size = [], len(message) + OVERHEAD
        part.append((at_ms, message))
    if part:
        yield part


def _encode(events: list[tuple[int, str]]) -> Chunk:
    first_ms = events[0][0]
    offsets = [at_ms - first_ms for at_ms, _ in events]
    messages = [message if message.isascii() else clean(message) for _, message in events]
    size = sum(len(message) if message.isascii() else len(message.encode()) for message in messages)
    data = zlib.compress(orjson.dumps([offsets, messages]), 1)
    return Chunk(first_ms, events[-1][0], len(events), size + OVERHEAD * len(events), data)
