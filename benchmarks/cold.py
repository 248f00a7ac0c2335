"""Cold starts: the first invoke of a function, beside a bare fork of a warm process; and 64 at once."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import connect, once
from benchmarks.contenders import Penstock, event

CROWD = 64
HOLD_S = 1.0
ZYGOTE = Path(__file__).parent / "floor" / "zygote.py"


@dataclass
class ColdStarts:
    """Milliseconds, as the client saw them."""

    level: str
    """The isolation level that both sides ran at."""
    fork: list[float] = field(default_factory=list)
    trivial: list[float] = field(default_factory=list)
    boto3: list[float] = field(default_factory=list)
    crowd: list[float] = field(default_factory=list)
    """64 calls at once of a function that has no environment."""
    held: list[float] = field(default_factory=list)
    """The same when each call keeps its environment for a second, that second taken off."""


class BareZygote:
    """The floor's zygote, see floor/zygote.py."""

    def __init__(self, level: str) -> None:
        self._ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, str(ZYGOTE), str(theirs.fileno()), "boto3", level], pass_fds=(theirs.fileno(),)
        )
        theirs.close()
        assert self._ours.recv(100) == b"ready\n"

    def fork(self) -> float:
        """One fork and its answer; milliseconds."""
        began = time.perf_counter()
        self._ours.sendall(event(100) + b"\n")
        answer = self._ours.recv(65536)
        took = (time.perf_counter() - began) * 1000
        if answer == b"refused\n":
            raise RuntimeError("this machine does not let the floor make namespaces")
        return took

    def stop(self) -> None:
        self._ours.close()
        self._process.wait()


async def measure(server: Penstock, *, times: int) -> ColdStarts:
    """In turn: a bare fork, a first invoke, a first invoke with boto3."""
    for number in range(times):
        server.deploy(f"cold-{number}")
        server.deploy(f"cold-boto3-{number}", "with_boto3")
    found = ColdStarts(server.level)
    bare = BareZygote(found.level)
    try:
        for number in range(times):
            found.fork += [bare.fork() for _ in range(3)]
            found.trivial.append(await _first(server, f"cold-{number}"))
            found.boto3.append(await _first(server, f"cold-boto3-{number}"))
    finally:
        bare.stop()
    for number in range(3):
        server.deploy(f"crowd-{number}")
        found.crowd += await _crowd(server, f"crowd-{number}", event(100))
    server.deploy("held", "holding")
    held = await _crowd(server, "held", json.dumps({"hold_s": HOLD_S}).encode())
    found.held = [took - HOLD_S * 1000 for took in held]
    return found


async def _first(server: Penstock, name: str) -> float:
    request = server.invocation(name, event(100))
    await asyncio.sleep(0.05)  # what the one before it left to do is done
    began = time.perf_counter()
    await once(server.port, request)
    return (time.perf_counter() - began) * 1000


async def _crowd(server: Penstock, name: str, body: bytes) -> list[float]:
    """All at once; every one must be served."""
    connections = [await connect(server.port) for _ in range(CROWD)]
    request = server.invocation(name, body)
    began = time.perf_counter()

    async def one(connection) -> float:
        await connection.ask(request)
        return (time.perf_counter() - began) * 1000

    try:
        return list(await asyncio.gather(*map(one, connections)))
    finally:
        for connection in connections:
            connection.close()
