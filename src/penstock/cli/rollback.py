"""`penstock rollback orders:live`: puts an alias back to the last version known to be good.

Rule: says what it will do before it does it, and asks whenever there is a person to answer.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from penstock.cli.connection import connect
from penstock.cli.failure import CommandError, usage
from penstock.cli.live import Alias, Live, fetch_live, split_alias, traffic
from penstock.cli.options import Data, Json
from penstock.cli.screen import can_ask, note, print_json


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
    function, name = split_alias(alias)
    connection = connect(data)
    now = fetch_live(connection, alias)
    target = to or now.get("last_known_good")
    if not target:
        raise CommandError(
            f"no other version behind {alias} is known to have been good, so there is nothing to go back to by itself. "
            f"Name one: penstock rollback {alias} --to N (`penstock timeline --since 7d` shows what was live).",
            code="NoKnownGoodVersion",
        )
    note(announcement(alias, now, str(target), chosen=to is not None))
    reason = reason or ask_reason()
    if not yes and can_ask() and not typer.confirm("Roll back now?", err=True):
        raise CommandError("nothing was changed.")
    # The version by its number: what was announced is what is done, whatever happened in between.
    wish = {"function": function, "alias": name, "to": str(target), "reason": reason}
    done = connection.post("/_penstock/rollback", wish)
    if as_json:
        print_json(done)
    else:
        typer.echo(outcome(alias, done))


def announcement(alias: str, now: Live, target: str, *, chosen: bool) -> str:
    """What is, and what will happen."""
    why = "as you chose" if chosen else "last known good"
    lines = [f"{alias} has {traffic(now).text}.", f"It goes to version {target} ({why}), all traffic at once."]
    if deployment := now.get("deployment"):
        lines.append(f"Deployment {deployment['id']} is under way and will be stopped.")
    return "\n".join(lines)


def outcome(alias: str, done: Mapping[str, Any]) -> str:
    """What happened."""
    said = f"{alias} is back on version {done['version']}, 100 % of the traffic."
    stopped = done.get("stopped_deployment_id")
    return f"{said}\nDeployment {stopped} was stopped." if stopped else said


def ask_reason() -> str:
    """The why, from the person at the terminal; a script must bring it along."""
    if not can_ask():
        raise usage('say why: --reason "…". It stays on the timeline for whoever comes next.')
    return str(typer.prompt("Why (stays on the timeline)", err=True))
