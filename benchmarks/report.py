"""The result as text."""

import dataclasses
from collections.abc import Iterable

from benchmarks.cold import ColdStarts
from benchmarks.machine import described, load
from benchmarks.rest import AtRest
from benchmarks.statistic import percentile, spread
from benchmarks.targets import Verdict
from benchmarks.warm import SCENARIOS, Samples


def head(mode: str, date: str) -> str:
    return f"Penstock benchmark, {mode}, {date}\n{described()}; load {load():.1f} at the start"


def warm_table(samples: Samples, names: Iterable[str]) -> str:
    """Medians with lowest and highest round."""
    lines = []
    for scenario in SCENARIOS:
        lines += ["", f"{scenario.name:<22} {'CPU µs/request':>22} {'p50 µs':>22} {'p99 µs':>24} {'requests/s':>24}"]
        for name in names:
            rows = samples[name, scenario.name]
            cells = [spread([getattr(row, f.name) for row in rows]).text(0) for f in dataclasses.fields(rows[0])[1:]]
            lines.append(f"  {name:<20} {cells[0]:>22} {cells[1]:>22} {cells[2]:>24} {cells[3]:>24}")
    return "\n".join(lines)


def cold_table(cold: ColdStarts) -> str:
    rows = {
        f"bare fork ({cold.level})": cold.fork,
        "first invoke": cold.trivial,
        "first invoke, imports boto3": cold.boto3,
        "64 at once": cold.crowd,
        "64 at once, 64 environments": cold.held,
    }
    lines = ["", f"{'cold starts, ms':<32} {'p50':>8} {'p95':>8} {'lowest':>8} {'highest':>8} {'count':>6}"]
    for name, values in rows.items():
        ordered = sorted(values)
        shown = [percentile(ordered, 50), percentile(ordered, 95), ordered[0], ordered[-1]]
        lines.append(f"  {name:<30} " + " ".join(f"{value:>8.1f}" for value in shown) + f" {len(values):>6}")
    return "\n".join(lines)


def rest_table(rest: AtRest) -> str:
    return "\n".join(
        [
            "",
            "at rest",
            f"  start to ready, s              {spread(rest.start_s).text()}",
            f"  processor time until then, s   {spread(rest.start_cpu_s).text()}",
            f"  the first start on a directory {spread(rest.first_start_s).text()}",
            f"  server without functions, MB   {rest.server_mb:.0f} resident",
            f"  idle environment, MB           {spread(rest.environment_mb).text(1)} private",
            f"  a zygote, MB                   {spread(rest.zygote_mb or [0.0]).text(1)} private",
        ]
    )


def verdict_table(verdicts: Iterable[Verdict]) -> str:
    return "\n".join(["", f"{'promise':<46} {'':>9}   measured", *(one.line() for one in verdicts)])
