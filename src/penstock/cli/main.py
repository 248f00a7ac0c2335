"""The `penstock` command: which commands there are, and what becomes of their failures.

Rule: thin. A command reads its options, asks the running server over HTTP, and prints; it holds no domain knowledge.
"""

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

import typer

from penstock.cli import release
from penstock.cli.demo.start import demo
from penstock.cli.doctor import doctor
from penstock.cli.env import env
from penstock.cli.failure import CommandError
from penstock.cli.invoke import invoke
from penstock.cli.live import live
from penstock.cli.logs import logs
from penstock.cli.rollback import rollback
from penstock.cli.screen import note
from penstock.cli.status import status
from penstock.cli.timeline import timeline
from penstock.cli.up import up
from penstock.cli.version import version

Command = Callable[..., Any]
COMMANDS: tuple[Command, ...] = (up, env, status, doctor, timeline, live, rollback, logs, invoke, version)
"""In the order in which `penstock --help` lists them."""

HELP = """Runs AWS Lambda functions on machines you own and releases them safely.

\b
Start:      penstock up                    in one terminal
            eval "$(penstock env)"         in another; now aws, boto3, SAM … talk to it
At 03:00:   penstock timeline              what changed in the last hour, and why
            penstock live orders:live      which version is live, since when, by whom
            penstock rollback orders:live --reason "…"
"""


def build() -> typer.Typer:
    """The whole command tree."""
    app = typer.Typer(
        name="penstock",
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for command in COMMANDS:
        app.command(help=lesson(command))(command)
    passes_all = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command(help=lesson(demo), context_settings=passes_all)(demo)
    app.add_typer(release_commands(), name="release")
    return app


def release_commands() -> typer.Typer:
    """`penstock release …`."""
    group = typer.Typer(
        help="Write deploy markers by hand: plan, update, log. Takes CircleCI's options.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for command in (release.plan, release.update, release.log):
        group.command(help=lesson(command))(command)
    return group


def lesson(command: Command) -> str:
    """A command's help: its docstring, with the paragraph of examples kept line by line (click's backspace mark)."""
    text = inspect.getdoc(command) or ""
    return re.sub(r"^(?=Examples?:$)", "\b\n", text, flags=re.MULTILINE)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    try:
        build()(args=arguments, prog_name="penstock")
    except CommandError as error:
        note(error.line(), colour="red")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
