"""`penstock doctor`: what is in order and what is not, here and inside the server."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.checks import Row, State, local_rows
from penstock.cli.connection import connect
from penstock.cli.failure import REFUSED, CommandError
from penstock.cli.options import Data, Json
from penstock.cli.screen import Cell, note, print_json, print_table
from penstock.config import Config
from penstock.core.serverfile import read_server_file

LOOKS = {State.OK: ("✓ ok", "green"), State.WARN: ("! warn", "yellow"), State.FAIL: ("✗ FAIL", "bold red")}


def doctor(
    *,
    port: Annotated[int, typer.Option(help="Port to try when no server runs.")] = Config(data=Path()).port,
    data: Data,
    as_json: Json = False,
) -> None:
    """Check this machine, the data directory and the running server.

    Works with the server down. Exit code 1 when any check fails; warnings do not count.

    Examples:
      penstock doctor
      penstock doctor --json | jq '.[] | select(.state != "ok")'
    """
    rows = [*local_rows(data, read_server_file(data), port), *server_rows(data)]
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        print_table(
            ("CHECK", "STATE", "FOUND"), [(row.check, _state_cell(row.state), row.detail) for row in rows], ("FOUND",)
        )
    failed = sum(row.state is State.FAIL for row in rows)
    if failed:
        note(f"{failed} of {len(rows)} checks failed.", colour="red")
        raise typer.Exit(REFUSED)


def server_rows(data: Path) -> list[Row]:
    """The server's own findings; that it cannot be asked is a finding too."""
    server = read_server_file(data)
    if server is None:
        return [Row("server", State.WARN, "not running. Start it: penstock up")]
    try:
        found = connect(data).get("/_penstock/doctor")
    except CommandError as error:
        return [Row("server", State.FAIL, error.line())]
    return [
        Row("server", State.OK, f"{server.endpoint}, process {server.pid}, Penstock {server.version}"),
        *_read(found),
    ]


def _read(found: Any) -> list[Row]:
    rows = found.get("rows", []) if isinstance(found, dict) else found
    return [Row(str(row["check"]), State(row["state"]), str(row["detail"])) for row in rows]


def _state_cell(state: State) -> Cell:
    return Cell(*LOOKS[state])
