"""What is promised, and whether this run held it. Every promise is a ratio within one run, or an amount."""

from dataclasses import dataclass

from benchmarks.cold import ColdStarts
from benchmarks.rest import AtRest
from benchmarks.statistic import Spread, percentile, ratios, spread
from benchmarks.warm import LARGE, MANY, SMALL, Samples, Scenario


@dataclass(frozen=True)
class Verdict:
    """One line of the result."""

    what: str
    promise: str
    measured: Spread
    held: bool

    def line(self) -> str:
        word = "held" if self.held else "NOT HELD"
        return f"{self.what:<46} {self.promise:>9}   {self.measured.text():<24} {word}"


def at_most(what: str, limit: float, measured: Spread, unit: str = "×") -> Verdict:
    return Verdict(what, f"≤ {limit:g}{unit}", measured, measured.median <= limit)


def at_least(what: str, limit: float, measured: Spread) -> Verdict:
    return Verdict(what, f"≥ {limit:g}×", measured, measured.median >= limit)


def warm_verdicts(samples: Samples) -> list[Verdict]:
    """Warm invokes against the floor and against functions-framework."""

    def against(other: str, scenario: Scenario, field: str) -> Spread:
        return ratios(*([getattr(one, field) for one in samples[who, scenario.name]] for who in ("penstock", other)))

    tail = spread([one.p99_us / one.p50_us for one in samples["penstock", SMALL.name]])
    found = [
        at_most("100 B: processor time to the floor's", 3, against("floor", SMALL, "cpu_us")),
        at_most("100 B: p50 to the floor's", 2.5, against("floor", SMALL, "p50_us")),
        at_most("100 B: p99 to its own p50", 5, tail),
        at_least("16 clients: throughput to the floor's", 0.4, against("floor", MANY, "per_second")),
    ]
    if ("functions-framework", MANY.name) in samples:
        measured = against("functions-framework", MANY, "per_second")
        found.append(at_least("16 clients: throughput to functions-framework's", 2, measured))
    return [*found, at_most("100 KB: processor time to the floor's", 2, against("floor", LARGE, "cpu_us"))]


def cold_verdicts(cold: ColdStarts) -> list[Verdict]:
    """First invokes against a bare fork at the same isolation level."""
    fork, trivial, boto3 = (sorted(one) for one in (cold.fork, cold.trivial, cold.boto3))
    floor, single = percentile(fork, 50), percentile(trivial, 50)

    def beside(values: list[float], other: float, percent: float = 50) -> Spread:
        return Spread(percentile(values, percent) / other, values[0] / other, values[-1] / other)

    return [
        at_most("cold start: p50 to a bare fork's", 2, beside(trivial, floor)),
        at_most("cold start: p95 to its own p50", 3, beside(trivial, single, 95)),
        at_most("cold start with boto3: p50 to a bare fork's", 2, beside(boto3, floor)),
        at_most("cold start with boto3: p95 to its own p50", 3, beside(boto3, percentile(boto3, 50), 95)),
        at_most("64 at once: p95 to a single cold start", 10, beside(sorted(cold.crowd), single, 95)),
    ]


def rest_verdicts(rest: AtRest) -> list[Verdict]:
    """Amounts."""
    return [
        at_most("idle environment, private memory", 3, spread(rest.environment_mb), " MB"),
        at_most("server without functions, resident memory", 60, spread([rest.server_mb]), " MB"),
        at_most("start to ready", 0.4, spread(rest.start_s), " s"),
    ]
