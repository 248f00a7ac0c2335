"""`python -m benchmarks [--full] [--only …]`: starts everything, measures in turns, prints ratios. See README.md.

Ratios of one run can be compared between machines and days; bare microseconds cannot.
"""

import argparse
import datetime as dt
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import uvloop

from benchmarks import cold, report, rest, targets, warm
from benchmarks.contenders import Contender, Floor, FunctionsFramework, MiniStack, Penstock

PARTS = ("warm", "cold", "rest")


def main() -> None:
    options = _options()
    work = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    try:
        uvloop.run(_run(options, work))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--full", action="store_true", help="about ten minutes instead of two")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this; may be given again")
    parser.add_argument("--alone", action="store_true", help="only Penstock and the floor")
    parser.add_argument("--others", type=Path, default=Path(".venv-bench/bin"), help="where the others are installed")
    parser.add_argument("--json", type=Path, help="write the raw numbers there")
    return parser.parse_args()


async def _run(options: argparse.Namespace, work: Path) -> None:
    mode = "full" if options.full else "quick"
    parts = options.only or PARTS
    date = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    print(report.head(mode, date), flush=True)
    raw: dict[str, object] = {}
    verdicts: list[targets.Verdict] = []
    server = Penstock(work)
    others: list[Contender] = [Floor(work)]
    if "warm" in parts and not options.alone:
        binaries = options.others.absolute()
        others += [FunctionsFramework(work, binaries), MiniStack(work, binaries)]
    contenders = [server, *others]
    try:
        server.start()
        if "warm" in parts:
            for one in others:
                one.start()
            rounds, seconds = (15, 2.0) if options.full else (5, 1.0)
            samples = await warm.measure(contenders, rounds=rounds, seconds=seconds)
            print(report.warm_table(samples, [one.name for one in contenders]), flush=True)
            verdicts += targets.warm_verdicts(samples)
            raw["warm"] = [[*key, [asdict(one) for one in rows]] for key, rows in samples.items()]
            for one in others:
                one.stop()
        if "cold" in parts:
            colds = await cold.measure(server, times=60 if options.full else 20)
            print(report.cold_table(colds), flush=True)
            verdicts += targets.cold_verdicts(colds)
            raw["cold"] = asdict(colds)
        if "rest" in parts:
            found = rest.starts(work, 10 if options.full else 5)
            await rest.memory(server, found)
            print(report.rest_table(found), flush=True)
            verdicts += targets.rest_verdicts(found)
            raw["rest"] = asdict(found)
    finally:
        for one in contenders:
            one.stop()
    print(report.verdict_table(verdicts))
    if options.json:
        options.json.write_text(json.dumps(raw))


if __name__ == "__main__":
    main()
