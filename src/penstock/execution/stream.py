"""A streamed reply between the runtime that writes it and the caller who reads it. Rule: bounded; a slow caller slows
the runtime down, and a caller who went away costs nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

HIGH_BYTES = 1024 * 1024
"""Buffered above this, the runtime is not read from."""


class ResponseStream:
    """One invoke's stream; written and read on one event loop."""

    def __init__(self) -> None:
        """Empty and open."""
        self.begun = False
        self.content_type: str | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._abandoned = False
        self._news = asyncio.Event()
        self._pause: Callable[[], None] = _nothing
        self._resume: Callable[[], None] = _nothing

    def begin(self, content_type: str, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """The runtime starts to write; `pause` and `resume` hold it."""
        self.begun = True
        self.content_type = content_type
        self._pause, self._resume = pause, resume
        self._news.set()

    def write(self, data: bytes) -> None:
        """A piece from the runtime."""
        if self._abandoned or self._closed or not data:
            return
        self._chunks.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > HIGH_BYTES:
            self._pause()

    def close(self) -> None:
        """Nothing follows."""
        self._closed = True
        self._news.set()

    def abandon(self) -> None:
        """The reader went away: what comes is dropped, and the runtime may finish."""
        self._abandoned = True
        self._chunks.clear()
        self._size = 0
        self._resume()

    async def begun_or_closed(self) -> None:
        """Wait until the runtime writes, or never will."""
        while not (self.begun or self._closed):
            self._news.clear()
            await self._news.wait()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The pieces as they come, until the end."""
        while True:
            while self._chunks:
                data = self._chunks.popleft()
                self._size -= len(data)
                if self._size <= HIGH_BYTES // 2:
                    self._resume()
                yield data
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()


def _nothing() -> None:
    """Nobody writes yet."""
