"""Warm invokes: every contender for a second or so, in turn, round after round, so that all see the same machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.client import batch
from benchmarks.contenders import Contender, event
from benchmarks.machine import cpu_us
from benchmarks.statistic import percentile


@dataclass(frozen=True)
class Scenario:
    """What is asked of everybody."""

    name: str
    size: int
    at_once: int


SMALL = Scenario("100 B, one client", 100, 1)
MANY = Scenario("100 B, 16 clients", 100, 16)
LARGE = Scenario("100 KB, one client", 100_000, 1)
SCENARIOS = (SMALL, MANY, LARGE)


@dataclass(frozen=True)
class Sample:
    """One contender in one scenario in one round."""

    requests: int
    cpu_us: float
    """Processor time per request: the server and all its processes, user and system."""
    p50_us: float
    p99_us: float
    per_second: float


Samples = dict[tuple[str, str], list[Sample]]
"""By contender and scenario; the same round at the same place in every list."""


async def measure(contenders: Sequence[Contender], *, rounds: int, seconds: float) -> Samples:
    """All of them, warmed up first."""
    for contender in contenders:
        for scenario in SCENARIOS:
            await _sample(contender, scenario, seconds / 2)
    found: Samples = {(one.name, scenario.name): [] for one in contenders for scenario in SCENARIOS}
    for number in range(rounds):
        order = list(contenders) if number % 2 else list(reversed(contenders))
        for scenario in SCENARIOS:
            for contender in order:
                found[contender.name, scenario.name].append(await _sample(contender, scenario, seconds))
    return found


async def _sample(contender: Contender, scenario: Scenario, seconds: float) -> Sample:
    request = contender.request(event(scenario.size))
    before = cpu_us(contender.pid)
    times = sorted(await batch(contender.port, request, at_once=scenario.at_once, seconds=seconds))
    spent = cpu_us(contender.pid) - before
    rate = scenario.at_once * len(times) / sum(times)
    return Sample(len(times), spent / len(times), percentile(times, 50) * 1e6, percentile(times, 99) * 1e6, rate)
