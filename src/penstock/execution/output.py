"""The pipe that carries everything an environment prints. Rule: never blocks, never waits for the function.

What was written before a reply is in the pipe when the reply arrives, so draining what the kernel holds then is
enough, and is bounded by the pipe's size however fast a background thread goes on printing.
"""

import array
import asyncio
import fcntl
import os
import termios
from collections.abc import Callable
from contextlib import suppress

from penstock.execution.bootstrap.logs import NEWLINE

CHUNK = 65536
MAX_LINE = 256 * 1024
"""CloudWatch's limit of one event, in bytes."""


class Output:
    """Reads the pipe and cuts it into log events."""

    def __init__(self, descriptor: int, emit: Callable[[list[str]], None]) -> None:
        """Take over the read end (non-blocking) and start reading on the running loop."""
        self._descriptor = descriptor
        self._emit = emit
        self._partial = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._readable)

    def drain(self) -> None:
        """Take in what is in the pipe now, and end a line that has no end yet."""
        # One read empties a pipe of the usual size; only one that was full is asked for more.
        if self._descriptor >= 0 and (data := self._read()):
            left = self._available() if len(data) == CHUNK else 0
            self._feed(data)
            while left > 0 and (data := self._read()):
                left -= len(data)
                self._feed(data)
        if self._partial:
            rest, self._partial = self._partial, b""
            self._emit(_events([rest]))

    def close(self) -> None:
        """Drain and let go of the pipe."""
        self.drain()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _available(self) -> int:
        count = array.array("i", [0])
        with suppress(OSError):
            fcntl.ioctl(self._descriptor, termios.FIONREAD, count)
        return count[0]

    def _readable(self) -> None:
        data = self._read()
        if data:
            self._feed(data)
        elif data is not None:  # every writer is gone
            self.close()

    def _read(self) -> bytes | None:
        try:
            return os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _feed(self, data: bytes) -> None:
        *whole, self._partial = (self._partial + data).split(b"\n") if self._partial else data.split(b"\n")
        if len(self._partial) >= MAX_LINE:
            whole.append(self._partial[:MAX_LINE])
            self._partial = self._partial[MAX_LINE:]
        if whole:
            self._emit(_events(whole))


def _events(lines: list[bytes]) -> list[str]:
    """Log events of complete lines: long ones are cut, broken bytes replaced, a record's own newlines restored."""
    events = []
    for line in lines:
        for start in range(0, len(line) or 1, MAX_LINE):
            text = line[start : start + MAX_LINE].decode("utf-8", "replace")
            events.append(text.replace(NEWLINE, "\n") if NEWLINE in text else text)
    return events
