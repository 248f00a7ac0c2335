"""The command around the story: starts the server, tells, cleans up. Rule: exit code 0 only for a true story."""

import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

from penstock.cli.demo.screen import Screen
from penstock.cli.demo.server import DemoServer
from penstock.cli.demo.story import SPEED, DemoFailedError, tell


def demo(
    *,
    keep_log: Annotated[bool, typer.Option("--server-log", help="Print the server's log at the end.")] = False,
) -> None:
    """Watch a bad release being caught and taken back, on a temporary server (about a minute).

    Example:  penstock demo
    """
    console = Console(width=None if sys.stdout.isatty() else 110)
    server = DemoServer(SPEED)
    try:
        tell(server, Screen(console), lambda: _timeline(server))
        console.print("\n[bold green]A bad release was caught and taken back, and nobody had to get up.[/bold green]")
    except DemoFailedError as failure:
        console.print(f"\n[bold red]The demo failed:[/bold red] {failure}", highlight=False)
        raise typer.Exit(1) from failure
    finally:
        if keep_log:
            console.print((server.data / "server.log").read_text(errors="replace"), highlight=False, markup=False)
        server.stop()


def _timeline(server: DemoServer) -> None:
    command = [sys.executable, "-m", "penstock", "timeline", "--data", str(server.data), "--since", "60m"]
    subprocess.run(command, check=True)  # noqa: S603 - our own program
