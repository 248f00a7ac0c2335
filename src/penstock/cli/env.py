"""`penstock env`: the variables that point every AWS tool at the running server.

Rule: stdout carries nothing but what a shell may evaluate; without a server it stays empty.
"""

import shlex
import sys
from enum import StrEnum
from typing import Annotated

import typer

from penstock.cli.connection import Connection, connect
from penstock.cli.failure import REFUSED, CommandError
from penstock.cli.options import Data, Json
from penstock.cli.screen import is_terminal, note, print_json

FOREIGN = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""What another account's login leaves behind: a token or profile that would travel along with our key."""


class Shell(StrEnum):
    """Whose syntax to write."""

    POSIX = "posix"
    FISH = "fish"
    POWERSHELL = "powershell"
    DOTENV = "dotenv"


def env(
    *,
    data: Data,
    shell: Annotated[Shell, typer.Option("--shell", help="Syntax: posix is sh, bash and zsh.")] = Shell.POSIX,
    as_json: Json = False,
) -> None:
    """Print the variables that point AWS tools at the running server.

    Sets endpoint, region and keys; unsets what another account's login left in the shell.

    Examples:
      eval "$(penstock env)"                       sh, bash, zsh
      penstock env --shell fish | source           fish
      penstock env --shell dotenv > .env           docker --env-file, IDEs
    """
    try:
        variables = variables_of(connect(data))
    except CommandError as error:
        # One exit code for every reason: a script asks only whether there was something to evaluate.
        raise CommandError(error.message, exit_code=REFUSED) from error
    if as_json:
        print_json(variables)
        return
    typer.echo(render(variables, shell), nl=False)
    if shell is Shell.POSIX and is_terminal(sys.stdout):
        note('\n# To set these in your shell: eval "$(penstock env)"')


def variables_of(connection: Connection) -> dict[str, str]:
    """What every AWS SDK reads."""
    return {
        "AWS_ENDPOINT_URL": connection.server.endpoint,
        "AWS_REGION": connection.server.region,
        "AWS_DEFAULT_REGION": connection.server.region,
        "AWS_ACCESS_KEY_ID": connection.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": connection.credentials.secret_key,
    }


def render(variables: dict[str, str], shell: Shell) -> str:
    """The text to evaluate, ending in a newline. A dotenv file cannot unset anything."""
    match shell:
        case Shell.POSIX:
            lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
            lines.append(f"unset {' '.join(FOREIGN)}")
        case Shell.FISH:
            lines = [f"set -gx {name} {_quote_fish(value)}" for name, value in variables.items()]
            lines += [f"set -e {name}" for name in FOREIGN]
        case Shell.POWERSHELL:
            lines = [f"$Env:{name} = {_quote_powershell(value)}" for name, value in variables.items()]
            lines += [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in FOREIGN]
        case Shell.DOTENV:
            # Unquoted: docker's --env-file takes quotes as part of the value. Ours hold no blank, quote or `#`.
            lines = [f"{name}={value}" for name, value in variables.items()]
    return "\n".join(lines) + "\n"


def _quote_fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quote_powershell(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
