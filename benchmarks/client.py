"""A client that costs next to nothing: requests signed beforehand, written to raw sockets, replies only measured.

An SDK would spend more time on a request than the server does, and its noise would be the result.
"""

import asyncio
import time
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LIKE_BOTO3 = {
    "User-Agent": "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.7 m/Z,b",
    "amz-sdk-invocation-id": "7a3cf9d6-2d4b-4b6d-9a53-0f4bb2d1c8e3",
    "amz-sdk-request": "attempt=1",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}


@dataclass(frozen=True)
class Keys:
    """Who signs."""

    access_key: str
    secret_key: str
    region: str


def signed(port: int, path: str, body: bytes, keys: Keys) -> bytes:
    """A whole POST as bytes; good for fifteen minutes."""
    host = f"127.0.0.1:{port}"
    request = AWSRequest("POST", f"http://{host}{path}", data=body, headers={**LIKE_BOTO3, "Host": host})
    SigV4Auth(Credentials(keys.access_key, keys.secret_key), "lambda", keys.region).add_auth(request)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class BadReplyError(RuntimeError):
    """A reply that is no success: the measurement would be of something else."""


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._expected = -1
        self._done: asyncio.Future[bytes] | None = None
        self._again: tuple[bytes, float, list[float]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def ask(self, request: bytes) -> bytes:
        """One request and its reply."""
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._done

    async def repeat(self, request: bytes, until: float, times: list[float]) -> None:
        """The same request again and again until `until`; no task switch lies between a reply and the next."""
        self._again = (request, until, times)
        self._done = asyncio.get_running_loop().create_future()
        self._began = time.perf_counter()
        self._transport.write(request)
        await self._done
        self._again = None

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._expected < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._expected = _whole(self._buffer, end)
        if self._expected == 0:  # chunked: the last chunk ends it
            if not self._buffer.endswith(b"0\r\n\r\n"):
                return
        elif len(self._buffer) < self._expected:
            return
        self._complete()

    def _complete(self) -> None:
        now = time.perf_counter()
        if not self._buffer.startswith(b"HTTP/1.1 200") or b"x-amz-function-error" in self._buffer[:600].lower():
            reply = bytes(self._buffer[:2000])
            self._done.set_exception(BadReplyError(reply.decode(errors="replace")))
            return
        self._expected = -1
        if self._again is None:
            reply = bytes(self._buffer)
            self._buffer.clear()
            self._done.set_result(reply)
            return
        self._buffer.clear()
        request, until, times = self._again
        times.append(now - self._began)
        if now >= until:
            self._done.set_result(b"")
            return
        self._began = time.perf_counter()
        self._transport.write(request)


def _whole(buffer: bytearray, end: int) -> int:
    """Length of the whole reply; 0 when it is chunked."""
    head = bytes(buffer[:end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    stop = head.find(b"\r\n", at + 2)
    return end + 4 + int(head[at + 17 : stop if stop >= 0 else None])


async def connect(port: int) -> Connection:
    """A new connection."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def once(port: int, request: bytes) -> bytes:
    """One request on a connection of its own."""
    connection = await connect(port)
    try:
        return await connection.ask(request)
    finally:
        connection.close()


async def batch(port: int, request: bytes, *, at_once: int, seconds: float) -> list[float]:
    """`at_once` clients in a closed loop for `seconds`; the latency of every request, in seconds."""
    connections = [await connect(port) for _ in range(at_once)]
    times: list[float] = []
    until = time.perf_counter() + seconds
    try:
        await asyncio.gather(*(one.repeat(request, until, times) for one in connections))
    finally:
        for one in connections:
            one.close()
    return times
