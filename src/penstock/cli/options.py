"""Options that several commands share, so that one word means one thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.moments import parse_duration


def default_data() -> Path:
    """The platform's user data directory."""
    import platformdirs  # noqa: PLC0415 - 25 ms that a command with --data or PENSTOCK_DATA need not pay

    return Path(platformdirs.user_data_dir("penstock", appauthor=False))


def check_duration(text: str) -> str:
    """A callback for options such as --since: the text itself once it makes sense."""
    try:
        parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar="PENSTOCK_DATA",
        default_factory=default_data,
        show_default="the user data directory",
        help="The server's data directory; it also tells where the running server is.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
