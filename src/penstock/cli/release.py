"""`penstock release plan|update|log`: deploy markers by hand, with the options CircleCI users know.

Follows https://circleci.com/docs/guides/deploy/configure-deploy-markers/: a plan's name defaults to `default`, a
status may be written in either case, and a closed marker cannot be updated.
"""

from enum import StrEnum
from typing import Annotated, Any

import typer

from penstock.cli import markers
from penstock.cli.connection import connect
from penstock.cli.options import Data, Json
from penstock.cli.screen import note, print_json

MARKERS = "/_penstock/markers"


class Status(StrEnum):
    """What a marker can be moved to."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Your name for this deploy; it finds the marker again.")]
Environment = Annotated[
    str | None, typer.Option("--environment-name", help="Where it is deployed. A function's alias, if you say nothing.")
]
Component = Annotated[str, typer.Option("--component-name", help="What is deployed: lambda/orders, layer/pillow …")]
Version = Annotated[str, typer.Option("--target-version", help="Which version: a number, a tag, a commit.")]
Namespace = Annotated[str | None, typer.Option(help="A part of the environment.")]
Rollback = Annotated[bool, typer.Option("--rollback", help="This deploy takes an earlier one back.")]
Reason = Annotated[str | None, typer.Option(help="Why, in a few words.")]
FailureReason = Annotated[str | None, typer.Option(help="Why it failed.")]


def plan(  # noqa: PLR0913 - CircleCI's options
    name: Name = "default",
    *,
    component_name: Component,
    target_version: Version,
    environment_name: Environment = None,
    namespace: Namespace = None,
    rollback: Rollback = False,
    reason: Reason = None,
    data: Data,
    as_json: Json = False,
) -> None:
    r"""Open a marker before a deploy (PENDING) and print its name.

    The real change that follows joins it; by hand, close it with `penstock release update`.

    Examples:
      penstock release plan orders-17 --component-name lambda/orders \
          --target-version 4 --environment-name production --reason "free shipping"
    """
    reply = connect(data).post(
        MARKERS,
        {
            "action": "plan",
            "name": name,
            "component": component_name,
            "target_version": target_version,
            "environment": environment_name,
            "namespace": namespace,
            "rollback": rollback,
            "reason": reason,
        },
    )
    _show(reply, as_json=as_json)


def update(
    name: Name = "default",
    *,
    status: Annotated[Status, typer.Option(case_sensitive=False, help="How the deploy stands now.")],
    failure_reason: FailureReason = None,
    data: Data,
    as_json: Json = False,
) -> None:
    """Move a planned marker on, or close it. A closed marker cannot be updated.

    Examples:
      penstock release update orders-17 --status=RUNNING
      penstock release update orders-17 --status=FAILED --failure-reason "smoke test: 502"
    """
    reply = connect(data).post(
        MARKERS,
        {"action": "update", "name": name, "status": status.value, "failure_reason": failure_reason},
    )
    _show(reply, as_json=as_json)


def log(  # noqa: PLR0913 - CircleCI's options
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Your name for this deploy.")] = None,
    *,
    component_name: Component,
    target_version: Version,
    environment_name: Environment = None,
    namespace: Namespace = None,
    status: Annotated[Status, typer.Option(case_sensitive=False, help="How it ended.")] = Status.SUCCESS,
    rollback: Rollback = False,
    reason: Reason = None,
    failure_reason: FailureReason = None,
    data: Data,
    as_json: Json = False,
) -> None:
    r"""Write a marker in one go, for a deploy that is already done.

    Examples:
      penstock release log --component-name stack/shop --target-version $(git rev-parse --short HEAD) \
          --environment-name production --reason "weekly release"
    """
    reply = connect(data).post(
        MARKERS,
        {
            "action": "log",
            "name": name,
            "component": component_name,
            "target_version": target_version,
            "environment": environment_name,
            "namespace": namespace,
            "status": status.value,
            "rollback": rollback,
            "reason": reason,
            "failure_reason": failure_reason,
        },
    )
    _show(reply, as_json=as_json)


def _show(reply: Any, *, as_json: bool) -> None:
    """The name alone goes to stdout, so that a script can keep it."""
    if as_json:
        print_json(reply)
        return
    marker = reply.get("marker", reply)
    typer.echo(marker.get("name") or marker["id"])
    note(
        f"{markers.component(marker)}, {markers.change(marker)}: {markers.status(marker).text} (marker {marker['id']})"
    )
