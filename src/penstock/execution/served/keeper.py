"""The server's end of a keeper (`bootstrap/keeper.py`): orders out, news and descriptors in. Rule: never blocks; a
keeper that breaks the protocol is reported as lost.
"""

import asyncio
import os
import socket
import struct
from collections import deque
from typing import Any, Protocol

import orjson

from penstock.execution.bootstrap import frames
from penstock.execution.sandbox.model import Body
from penstock.execution.zygote import ForkListener

MOST_DESCRIPTORS = 16


class News(Protocol):
    """Who hears what a keeper tells."""

    def told(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """Something happened; the descriptors are the listener's now."""

    def lost(self, why: str) -> None:
        """The channel is closed or broken."""


class Keeper:
    """See the module."""

    def __init__(self, body: Body, news: News, listener: ForkListener) -> None:
        """`listener` hears of the process itself, from its body."""
        self._body = body
        self._news = news
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def start(self, plan: dict[str, Any]) -> int:
        """Fork it; the read end of its log pipe. Raises `ZygoteError` or `OSError`."""
        ours, theirs = socket.socketpair()
        output_read, output_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(output_write, True)
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        try:
            self._body.begin(theirs.fileno(), output_write, self._listener)
        except Exception:
            ours.close()
            os.close(output_read)
            raise
        finally:
            theirs.close()
            os.close(output_write)
        self._socket = ours
        self._loop.add_reader(ours.fileno(), self._readable)
        self._send(frames.encode(frames.INIT, 0, orjson.dumps({**plan, "keep": True})))
        return output_read

    def order(self, **order: object) -> None:
        """Ask for something; `told` or `lost` follows."""
        self._send(frames.encode(frames.ORDER, 0, orjson.dumps(order)))

    def kill(self) -> None:
        """End it and everything it started."""
        self._body.kill()

    def close(self) -> None:
        """Let go of the channel."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(data)  # orders are small and rare: a full buffer means it does not read
        except OSError as error:
            self._lose(f"takes no orders: {error}")
            return
        if sent < len(data):
            self._lose("takes no orders")

    def _readable(self) -> None:
        if self._socket is None:
            return
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 65536, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        if not data:
            self._lose("closed its channel")
            return
        self._buffer += data
        self._take_all()

    def _take_all(self) -> None:
        try:
            while self._socket is not None and len(self._buffer) >= frames.HEAD.size:
                _, _, meta_size, body_size = frames.decode_head(self._buffer)
                end = frames.HEAD.size + meta_size + body_size
                if len(self._buffer) < end:
                    return
                message = orjson.loads(bytes(self._buffer[frames.HEAD.size : frames.HEAD.size + meta_size]))
                del self._buffer[:end]
                given = [self._descriptors.popleft() for _ in range(message["descriptors"])]
                self._news.told(message, given)
        except (ValueError, KeyError, TypeError, IndexError, struct.error) as error:
            self._lose(f"sent garbage: {error}")

    def _lose(self, why: str) -> None:
        self.close()
        self._news.lost(why)
