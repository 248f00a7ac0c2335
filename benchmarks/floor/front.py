"""The floor: HTTP in front (uvloop, httptools), one event at a time to a free Python worker over a unix socket.

No names, no signatures, no logs, no limits: what is left is what every such server must pay. `front.py PORT WORKERS`.
"""

import asyncio
import socket
import struct
import subprocess
import sys
from collections import deque
from pathlib import Path

import httptools
import uvloop

LENGTH = struct.Struct(">I")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Worker(asyncio.Protocol):
    """One worker process."""

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._buffer = b""
        self._waiting: Client | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def run(self, client: "Client", body: bytes) -> None:
        self._waiting = client
        self._transport.write(LENGTH.pack(len(body)) + body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < 4 or len(self._buffer) < 4 + LENGTH.unpack_from(self._buffer)[0]:
            return
        body, self._buffer = self._buffer[4:], b""
        client, self._waiting = self._waiting, None
        client.reply(body)
        self._front.free(self)


class Client(asyncio.Protocol):
    """One client connection."""

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        self._front.submit(self, body)

    def reply(self, body: bytes) -> None:
        self._transport.write(HEAD % len(body) + body)


class Front:
    """Free workers, and requests that wait for one."""

    def __init__(self) -> None:
        self._free: list[Worker] = []
        self._waiting: deque[tuple[Client, bytes]] = deque()

    async def hire(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            ours, theirs = socket.socketpair()
            command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(theirs.fileno())]
            subprocess.Popen(command, pass_fds=(theirs.fileno(),))  # noqa: ASYNC220 - before the first client
            theirs.close()
            _, worker = await loop.create_unix_connection(lambda: Worker(self), sock=ours)
            self._free.append(worker)

    def submit(self, client: Client, body: bytes) -> None:
        if self._free:
            self._free.pop().run(client, body)
        else:
            self._waiting.append((client, body))

    def free(self, worker: Worker) -> None:
        if self._waiting:
            worker.run(*self._waiting.popleft())
        else:
            self._free.append(worker)


async def main(port: int, workers: int) -> None:
    front = Front()
    await front.hire(workers)
    server = await asyncio.get_running_loop().create_server(lambda: Client(front), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
