"""`penstock live orders:live`: which version is live, since when, by whom, why, and how it does."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from penstock.cli import markers
from penstock.cli.connection import Connection, connect, fetch_health
from penstock.cli.failure import usage
from penstock.cli.moments import ago, local
from penstock.cli.options import Data, Json
from penstock.cli.screen import Cell, Content, print_facts, print_json

Live = Mapping[str, Any]
"""The server's answer."""
Facts = list[tuple[str, Content]]
Alias = Annotated[str, typer.Argument(metavar="FUNCTION:ALIAS", help="E.g. orders:live.")]


def live(alias: Alias, *, data: Data, as_json: Json = False) -> None:
    """Show which version is live, since when, by whom and why.

    With the error rate before and after the last change, and the version to go back to.

    Examples:
      penstock live orders:live
      penstock live orders:live --json | jq -r .version
    """
    split_alias(alias)
    connection = connect(data)
    found = fetch_live(connection, alias)
    if as_json:
        print_json(found)
    else:
        print_facts(facts(found, float(fetch_health(connection.server)["business_time"])))


def fetch_live(connection: Connection, alias: str) -> dict[str, Any]:
    """What the server says of an alias."""
    found: dict[str, Any] = connection.get(f"/_penstock/live/{alias}")
    return found


def split_alias(text: str) -> tuple[str, str]:
    """`orders` and `live`. A name without an alias is refused: better a question than the wrong rollback."""
    function, _, alias = text.partition(":")
    if not function or not alias or ":" in alias or alias.isdigit() or alias == "$LATEST":
        raise usage(f"{text!r} names no alias. Write FUNCTION:ALIAS, e.g. orders:live.")
    return function, alias


def facts(found: Live, now: float) -> Facts:
    """Everything worth a line, the answer first."""
    said: Facts = [("live", traffic(found))]
    if since := found.get("since"):
        said.append(("since", f"{local(float(since), now)}, {ago(float(since), now)}"))
    if marker := found.get("marker"):
        said.append(("by", markers.who(marker)))
        said.append(("change", [Cell(markers.change(marker)), markers.status(marker)]))
        said += [("why", [reason]) for reason in markers.reasons(marker)]
    if deployment := found.get("deployment"):
        said.append(("deploying", under_way(deployment, now)))
    good = found.get("last_known_good")
    return [
        *said,
        ("errors", errors(found)),
        ("go back to", f"version {good} (last known good)" if good else "no other version is known to be good"),
    ]


def traffic(found: Live) -> Cell:
    """`version 3`, or each version with its share while traffic is split."""
    weights: Mapping[str, float] = found.get("weights") or {}
    if len(weights) < 2:
        return Cell(f"version {found.get('version')}", "bold")
    return Cell(", ".join(f"version {version} {percent:g} %" for version, percent in weights.items()), "bold yellow")


def under_way(deployment: Mapping[str, Any], now: float) -> list[Cell]:
    """A deployment that is still moving the traffic."""
    next_at = deployment.get("next_shift_at")
    then = f", next step {ago(float(next_at), now)}" if next_at else ""
    lines = [
        Cell(f"version {deployment.get('to')}, {float(deployment.get('percent') or 0):g} %{then}", "bold cyan"),
        Cell(f"{deployment.get('id')}  {deployment.get('event') or deployment.get('status')}", "dim"),
    ]
    return [*lines, Cell(str(deployment["why"]), "dim")] if deployment.get("why") else lines


def errors(found: Live) -> list[Cell]:
    """How the alias does now and did around the last change; each version's own rate while traffic is split."""
    measured: Mapping[str, Any] = found.get("errors") or {}
    lines = [Cell(f"now     {rate(measured.get('now'))}")]
    versions: Mapping[str, Any] = measured.get("versions") or {}
    if len(versions) > 1:
        lines += [Cell(f"        version {version}: {rate(each)}") for version, each in versions.items()]
    if "before" in measured:
        lines.append(Cell(f"before  {rate(measured['before'])}"))
        lines.append(Cell(f"after   {rate(measured.get('after'))}"))
    return lines


def rate(measured: Mapping[str, Any] | None) -> str:
    """`1.2 % of 340 requests`. Nothing measured is not the same as no errors."""
    if measured is None:
        return "not measured"
    if not measured["requests"]:
        return "no requests"
    requests = "1 request" if measured["requests"] == 1 else f"{measured['requests']:g} requests"
    return f"{markers.percent(measured)} of {requests}"
