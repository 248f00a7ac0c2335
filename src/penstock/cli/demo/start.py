"""How `penstock demo` starts: as a process of its own, so that other commands need not load what only it uses."""

import os
import sys

import typer


def demo(context: typer.Context) -> None:
    """Watch a bad release being caught and taken back by itself.

    Takes about a minute on a temporary server of its own, and leaves nothing behind.
    Exit code 0 only when it was really caught.

    Example:
      penstock demo
    """
    os.execv(  # noqa: S606 - our own interpreter, no shell
        sys.executable, [sys.executable, "-P", "-m", "penstock.cli.demo", *context.args]
    )
