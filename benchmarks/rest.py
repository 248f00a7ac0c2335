"""Penstock at rest: how long it takes to start, and what memory it and an idle environment hold."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import connect
from benchmarks.contenders import Penstock
from benchmarks.machine import command, cpu_us, descendants, leaves, private_kb, resident_kb

ENVIRONMENTS = 8
SETTLE_S = 2.0


@dataclass
class AtRest:
    """Seconds and megabytes."""

    start_s: list[float] = field(default_factory=list)
    """From the command to the first healthy answer, on a data directory that exists."""
    start_cpu_s: list[float] = field(default_factory=list)
    """Processor time of the same: what it is on a machine with nothing else to do."""
    first_start_s: list[float] = field(default_factory=list)
    """The same on an empty one: account, keys and schema are made."""
    server_mb: float = 0.0
    """Resident, without functions."""
    zygote_mb: list[float] = field(default_factory=list)
    """Private, each."""
    environment_mb: list[float] = field(default_factory=list)
    """Private, idle after an invoke, each."""


def starts(work: Path, times: int) -> AtRest:
    """Start and stop, `times` times on a new directory and as often again on the same."""
    found = AtRest()
    for number in range(times):
        server = Unprepared(work / f"start-{number}")
        for kept in (found.first_start_s, found.start_s):
            began = time.perf_counter()
            server.start()
            kept.append(time.perf_counter() - began)
            if kept is found.start_s:
                found.start_cpu_s.append(cpu_us(server.pid) / 1e6)
            if kept is found.start_s and number == times - 1:
                time.sleep(SETTLE_S)
                found.server_mb = resident_kb(server.pid) / 1024
            server.stop()
    return found


class Unprepared(Penstock):
    """Started, with nothing deployed."""

    def prepare(self) -> None:
        """Nothing."""


async def memory(server: Penstock, found: AtRest) -> None:
    """Environments of one function that have answered once and wait."""
    server.deploy("rest", "holding")
    connections = [await connect(server.port) for _ in range(ENVIRONMENTS)]
    before = set(descendants(server.pid))
    request = server.invocation("rest", b'{"hold_s": 0.5}')
    await asyncio.gather(*(one.ask(request) for one in connections))
    for one in connections:
        one.close()
    await asyncio.sleep(SETTLE_S)
    new = leaves(set(descendants(server.pid)) - before)
    found.environment_mb = [private_kb(pid) / 1024 for pid in new]
    zygotes = [pid for pid in descendants(server.pid) if "zygote" in command(pid) and pid not in new]
    found.zygote_mb = [private_kb(pid) / 1024 for pid in zygotes[:1]]
