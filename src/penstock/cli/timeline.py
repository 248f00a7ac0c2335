"""`penstock timeline`: what changed, when, by whom and why.

Rule: the newest change is the last line, right above the prompt, however long the list is.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from penstock.cli import markers
from penstock.cli.connection import connect
from penstock.cli.markers import Marker
from penstock.cli.moments import parse_duration
from penstock.cli.options import Data, Json, check_duration
from penstock.cli.screen import Cell, Content, is_wide, note, print_json, print_table


def timeline(
    *,
    since: Annotated[str, typer.Option(callback=check_duration, help="How far back, e.g. 90s, 60m, 2d.")] = "60m",
    component: Annotated[str | None, typer.Option(help="Only this component, e.g. lambda/orders.")] = None,
    environment: Annotated[str | None, typer.Option(help="Only this environment.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many changes, the newest.")] = None,
    data: Data,
    as_json: Json = False,
) -> None:
    """Show what changed in the last hour, and why. The newest change comes last.

    Examples:
      penstock timeline
      penstock timeline --since 2d --component lambda/orders
    """
    connection = connect(data)
    asked = {
        "since": f"{parse_duration(since):.0f}s",
        "component": component,
        "environment": environment,
        "limit": limit,
    }
    found = connection.get("/_penstock/timeline", asked)
    if as_json:
        print_json(found)
        return
    shown = sorted(found["markers"], key=lambda marker: float(marker["opened_at"]))
    if not shown:
        note(f"nothing changed in the last {since}{_narrowed(component, environment)}.")
        return
    print_markers(shown, float(found["now"]))
    if connection.server.clock_speed != 1:
        note(f"(business time, {connection.server.clock_speed:g} times as fast as real time)")


def print_markers(shown: Sequence[Marker], now: float) -> None:
    """A table: on a narrow screen the reasons stand under the change, else in a column of their own."""
    if is_wide():
        heads: tuple[str, ...] = ("WHEN", "COMPONENT", "CHANGE", "STATUS", "WHO", "WHY")
        print_table(heads, [_wide_row(marker, now) for marker in shown], folds=("CHANGE", "WHY"))
    else:
        print_table(("WHEN", "WHAT", "STATUS", "WHO"), [_row(marker, now) for marker in shown], folds=("WHAT",))


def _row(marker: Marker, now: float) -> list[Content]:
    what = [Cell(markers.component(marker), "bold"), Cell(markers.change(marker)), *markers.reasons(marker)]
    return [markers.when(marker, now).replace("  ", "\n"), what, markers.status(marker), markers.who(marker)]


def _wide_row(marker: Marker, now: float) -> list[Content]:
    return [
        markers.when(marker, now),
        Cell(markers.component(marker), "bold"),
        markers.change(marker),
        markers.status(marker),
        markers.who(marker),
        Cell(" · ".join(cell.text for cell in markers.reasons(marker))),
    ]


def _narrowed(component: str | None, environment: str | None) -> str:
    parts = [f" to {component}"] if component else []
    return "".join([*parts, f" in {environment}" if environment else ""])
