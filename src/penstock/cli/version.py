"""`penstock version`."""

import platform

import typer

from penstock import __version__
from penstock.cli.options import Json
from penstock.cli.screen import print_json


def version(*, as_json: Json = False) -> None:
    """Print Penstock's version and the Python it runs on.

    Example:
      penstock version
    """
    python = platform.python_version()
    if as_json:
        print_json({"penstock": __version__, "python": python})
    else:
        typer.echo(f"penstock {__version__} (Python {python})")
