"""The messages between the server and an environment. Rule: length-prefixed binary; payloads pass through untouched.

A frame is a head (magic, kind, sequence, length of meta, length of body), then meta (JSON) and body (bytes as given).
The sequence ties a reply to its invoke, so that a late or forged second reply is recognised and dropped.
"""

from __future__ import annotations

import os
import struct

HEAD = struct.Struct(">HBIII")
MAGIC = 0x50E5

INIT = 1
"""Server to environment: meta is the plan of this environment (handler, directories, variables)."""
READY = 2
"""Environment to server: init code ran."""
INIT_ERROR = 3
"""Environment to server: body is the error document, meta its type; the process exits next."""
INVOKE = 4
"""Server to environment: meta describes the invoke, body is the event."""
RESULT = 5
"""Environment to server: body is the handler's result."""
ERROR = 6
"""Environment to server: body is the error document, meta its type."""
ORDER = 7
"""Server to keeper: meta is an order (start a process, signal one, connect to a port)."""
TOLD = 8
"""Keeper to server: meta says what happened; descriptors it speaks of travel with the frame."""

MAX_META = 1024 * 1024
MAX_RESPONSE = 6_291_556
"""AWS's limit of a synchronous response, in bytes."""
MAX_BODY = MAX_RESPONSE + 1024 * 1024


class FrameError(ValueError):
    """These bytes are no frame of ours."""


def encode(kind: int, sequence: int, meta: bytes = b"", body: bytes = b"") -> bytes:
    """One frame as bytes."""
    return b"".join((HEAD.pack(MAGIC, kind, sequence, len(meta), len(body)), meta, body))


def decode_head(data: bytes | bytearray) -> tuple[int, int, int, int]:
    """Kind, sequence, length of meta, length of body; raises `FrameError`."""
    magic, kind, sequence, meta_size, body_size = HEAD.unpack_from(data)
    if magic != MAGIC or meta_size > MAX_META or body_size > MAX_BODY:
        raise FrameError("not a frame")
    return kind, sequence, meta_size, body_size


class BlockingChannel:
    """The environment's end: plain blocking reads and writes on a descriptor.

    `os.read` and `os.write` are held from before the function's code ran, so that a library that replaces parts of
    `socket` or `os` (gevent, tracers) cannot take the channel with it.
    """

    def __init__(self, descriptor: int) -> None:
        """Take over an open socket."""
        self.descriptor = descriptor
        self._read = os.read
        self._write = os.write
        self._buffer = b""

    @property
    def buffered(self) -> bool:
        """Whether bytes were read that no `receive` has returned yet."""
        return bool(self._buffer)

    def receive(self) -> tuple[int, int, bytes, bytes]:
        """The next frame: kind, sequence, meta, body. Raises `EOFError` when the server is gone."""
        kind, sequence, meta_size, body_size = decode_head(self._take(HEAD.size))
        return kind, sequence, self._take(meta_size), self._take(body_size)

    def send(self, kind: int, sequence: int, meta: bytes = b"", body: bytes = b"") -> None:
        """Write one whole frame."""
        view = memoryview(encode(kind, sequence, meta, body))
        while view:
            view = view[self._write(self.descriptor, view) :]

    def _take(self, size: int) -> bytes:
        if len(self._buffer) < size:
            self._fill(size)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _fill(self, size: int) -> None:
        chunks, have = [self._buffer], len(self._buffer)
        while have < size:
            chunk = self._read(self.descriptor, max(65536, min(size - have, 1 << 20)))
            if not chunk:
                raise EOFError("the server closed the channel")
            chunks.append(chunk)
            have += len(chunk)
        self._buffer = b"".join(chunks)
