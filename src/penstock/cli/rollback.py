"""`penstock rollback orders:live`: puts an alias back to the last version known to be good.

Rule: says what it will do before it does it, and asks whenever there is a person to answer.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from penstock.cli.connection import connect
from penstock.cli.failure import CommandError, usage
from penstock.cli.live import Alias, check_alias, fetch_live, traffic
from penstock.cli.options import Data, Json
from penstock.cli.screen import can_ask, note, print_json, working


def rollback(
    alias: Alias,
    *,
    to: Annotated[str | None, typer.Option(metavar="N", help="This version instead of the last known good.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it stays on the timeline.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data,
    as_json: Json = False,
) -> None:
    """Put an alias back on the last known good version, at once.

    All traffic moves; a deployment under way is stopped. Asks before it acts when a person is at the terminal.

    Examples:
      penstock rollback orders:live --reason "checkout fails since 03:05"
      penstock rollback orders:live --to 3 --reason "…" --yes
    """
    check_alias(alias)
    connection = connect(data)
    now = fetch_live(connection, alias)
    target = to or now.get("last_known_good")
    if not target:
        raise CommandError(
            f"no version behind {alias} is known to be good, so there is nothing to go back to by itself. "
            f"Name one: penstock rollback {alias} --to N (penstock timeline --since 7d shows what was live)."
        )
    note(announcement(alias, now, str(target), chosen=to is not None))
    reason = reason or ask_reason()
    if not yes and can_ask() and not typer.confirm("Roll back now?", err=True):
        raise CommandError("nothing was changed.")
    with working(f"rolling {alias} back"):
        done = connection.post("/_penstock/rollback", {"alias": alias, "to": to, "reason": reason})
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{alias} is back on version {done.get('version', target)}, 100 % of the traffic.")


def announcement(alias: str, now: Mapping[str, Any], target: str, *, chosen: bool) -> str:
    """What will happen, in one line."""
    why = "as you chose" if chosen else "last known good"
    return f"{alias}: {traffic(now).text} → version {target} ({why}), at once."


def ask_reason() -> str:
    """The why, from the person at the terminal; a script must bring it along."""
    if not can_ask():
        raise usage('say why: --reason "…". It stays on the timeline for whoever comes next.')
    return str(typer.prompt("Why (stays on the timeline)", err=True))
