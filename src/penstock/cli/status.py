"""`penstock status`: is the server up, what does it hold, what is going on.

Rule: what needs attention (alarms, deployments under way) comes last, next to the prompt.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import typer

from penstock.cli.connection import connect, fetch_health
from penstock.cli.failure import UNREACHABLE
from penstock.cli.moments import ago, local, long_span
from penstock.cli.options import Data, Json
from penstock.cli.screen import Cell, Content, print_facts, print_json
from penstock.core.serverfile import ServerFile, read_server_file

Facts = list[tuple[str, Content]]


def status(*, data: Data, as_json: Json = False) -> None:
    """Show whether the server is up, what it holds and does now.

    Exit code 3 when no server runs on the data directory.

    Examples:
      penstock status
      penstock status --json | jq '.deployments'
    """
    server = read_server_file(data)
    if server is None:
        show_down(str(data), as_json=as_json)
        raise typer.Exit(UNREACHABLE)
    connection = connect(data)
    health = fetch_health(server)
    found = connection.get("/_penstock/status")
    if as_json:
        print_json({"up": True, "pid": server.pid, "data": str(data), **health, **found})
        return
    now = float(health["business_time"])
    facts = [*server_facts(server, health, str(data)), *function_facts(found["functions"])]
    facts.append(("environments", environments_cell(found["environments"])))
    print_facts([*facts, *deployment_facts(found["deployments"], now), *alarm_facts(found, now)])


def show_down(data: str, *, as_json: bool) -> None:
    """The server is not there."""
    if as_json:
        print_json({"up": False, "data": data})
    else:
        print_facts([("server", Cell("down", "bold red")), ("data", data), ("start it", "penstock up")])


def server_facts(server: ServerFile, health: Mapping[str, Any], data: str) -> Facts:
    """Where it is and since when."""
    speed = float(health.get("clock_speed", 1))
    now = float(health["business_time"])
    clock = f"{local(now, now)}" + (f", running {speed:g} times as fast as real time" if speed != 1 else "")
    up = f"up {long_span(float(health.get('uptime_s', 0)))}"
    return [
        ("server", [Cell(up, "bold green"), Cell(f"{server.endpoint}  process {server.pid}  {server.version}")]),
        ("account", f"{server.account}  {server.region}"),
        ("data", data),
        ("clock", clock),
        ("isolation", str(health.get("isolation", "not told"))),
    ]


def function_facts(functions: Iterable[Mapping[str, Any]]) -> Facts:
    """One line a function: its aliases, and its state when it is not simply active."""
    lines = [_function_line(function) for function in sorted(functions, key=lambda each: str(each["name"]))]
    if not lines:
        return [("functions", "none yet")]
    return [("functions" if number == 0 else "", line) for number, line in enumerate(lines)]


def environments_cell(environments: Iterable[Mapping[str, Any]]) -> str:
    """How many copies of versions run: `1 busy, 3 idle`."""
    counts = Counter(str(each["state"]) for each in environments)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"


def deployment_facts(deployments: Iterable[Mapping[str, Any]], now: float) -> Facts:
    """Deployments that are not over."""
    return [("deploying", _deployment_lines(each, now)) for each in deployments]


def alarm_facts(found: Mapping[str, Any], now: float) -> Facts:
    """Alarms in ALARM."""
    facts: Facts = []
    for alarm in found["alarms"]:
        since = f"{alarm['name']}  since {local(float(alarm['since']), now)}, {ago(float(alarm['since']), now)}"
        facts.append(("ALARM", [Cell(since, "bold red"), Cell(str(alarm["reason"]), "dim")]))
    return facts or [("alarms", "none in ALARM")]


def _deployment_lines(each: Mapping[str, Any], now: float) -> list[Cell]:
    versions = f"version {each['current']} → {each['target']}" if each["current"] else f"version {each['target']}"
    then = f", next step {ago(float(each['next_shift_at']), now)}" if each.get("next_shift_at") else ""
    return [
        Cell(f"{each['function']}:{each['alias']} {versions}, {float(each['percent']):g} %{then}", "bold cyan"),
        Cell(
            f"{each['id']}  {each.get('event') or each['status']}  begun {ago(float(each['created_at']), now)}", "dim"
        ),
    ]


def _function_line(function: Mapping[str, Any]) -> Cell:
    aliases = "  ".join(_alias(alias) for alias in function.get("aliases") or [])
    state = str(function.get("state") or "Active")
    said = f"{function['name']}  {aliases}".rstrip()
    return Cell(said) if state == "Active" else Cell(f"{said}  ({state})", "yellow")


def _alias(alias: Mapping[str, Any]) -> str:
    weights: Mapping[str, float] = alias.get("weights") or {}
    shares = "".join(f" + {version} at {share:.0%}" for version, share in weights.items())
    return f"{alias['name']} → {alias.get('version')}{shares}"
