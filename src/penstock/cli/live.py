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

Alias = Annotated[str, typer.Argument(metavar="FUNCTION:ALIAS", help="E.g. orders:live.")]


def live(alias: Alias, *, data: Data, as_json: Json = False) -> None:
    """Show which version is live, since when, by whom and why.

    With the error rate before and after the last change, and the version to go back to.

    Examples:
      penstock live orders:live
      penstock live orders:live --json | jq -r .version
    """
    check_alias(alias)
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


def check_alias(text: str) -> None:
    """Refuse a name without an alias: a rollback of the wrong thing would be worse than a question."""
    function, colon, alias = text.rpartition(":")
    if not (function and colon and alias) or alias.isdigit() or alias == "$LATEST":
        raise usage(f"{text!r} names no alias. Write FUNCTION:ALIAS, e.g. orders:live.")


def facts(found: Mapping[str, Any], now: float) -> list[tuple[str, Content]]:
    """Everything worth a line, the answer first."""
    marker = found.get("marker") or {}
    said: list[tuple[str, Content]] = [("live", traffic(found))]
    if since := found.get("since"):
        said.append(("since", f"{local(float(since), now)}, {ago(float(since), now)}"))
    if marker:
        said.append(("by", markers.who(marker)))
        said.append(("change", [Cell(markers.change(marker)), markers.status(marker)]))
        said += [("why", reason) for reason in markers.reasons(marker)]
    said.append(("errors", f"before {rate(found.get('before'))}, after {rate(found.get('after'))}"))
    good = found.get("last_known_good")
    said.append(("go back to", f"version {good} (last known good)" if good else "no version is known to be good"))
    return said


def traffic(found: Mapping[str, Any]) -> Cell:
    """`version 3`, or each version with its share while traffic is split."""
    weights: Mapping[str, float] = found.get("weights") or {}
    version = str(found.get("version"))
    if not weights:
        return Cell(f"version {version}", "bold")
    rest = 1 - sum(weights.values())
    shares = [(version, rest), *weights.items()]
    return Cell(", ".join(f"version {number} {share:.0%}" for number, share in shares), "bold yellow")


def rate(measured: Mapping[str, Any] | None) -> str:
    """`1.2 % of 340 requests`. Nothing measured is not the same as no errors."""
    if not measured or not measured.get("requests"):
        return "not measured"
    share = 100 * measured["errors"] / measured["requests"]
    return f"{share:.3g} % of {measured['requests']:g} requests"
