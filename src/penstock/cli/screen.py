"""What a command prints: plain columns that read at 80, colour on a terminal only, JSON for programs.

Rule: data goes to stdout; notes, questions and progress go to stderr, so that a pipe carries data alone.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

UNLIMITED = 1000
"""Columns of a line that goes to a file or a pipe: nothing is folded, so that grep sees whole rows."""
WIDE = 110
"""From here on a table has room for a reason column."""


def print_json(value: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str, *, colour: str | None = None) -> None:
    """A remark for the person, not part of the data. Coloured on a terminal unless NO_COLOR is set."""
    if colour and not os.environ.get("NO_COLOR"):
        text = typer.style(text, fg=colour)
    typer.echo(text, err=True)


def is_terminal(stream: TextIO | None = None) -> bool:
    """Does a person look at this stream (default: stdout)?"""
    return bool((stream or sys.stdout).isatty())


def can_ask() -> bool:
    """Is there a person who can answer a question?"""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def console(stream: TextIO | None = None) -> "Console":
    """A rich console that leaves text alone except for the styles it is given."""
    from rich.console import Console  # noqa: PLC0415 - 40 ms that `version`, `env` and --json need not pay

    stream = stream or sys.stdout
    width = None if is_terminal(stream) else UNLIMITED
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def print_lines(lines: Sequence["RenderableType"]) -> None:
    """Styled lines to stdout."""
    screen = console()
    for line in lines:
        screen.print(line)


def print_table(heads: Sequence[str], rows: Sequence[Sequence["RenderableType"]], *, folds: str) -> None:
    """Columns without lines around them. Only the column named `folds` gives way when the screen is narrow."""
    from rich.table import Table  # noqa: PLC0415 - see console

    screen = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head != folds, overflow="fold" if head == folds else "ellipsis")
    for row in rows:
        table.add_row(*row)
    with screen.capture() as captured:
        screen.print(table)
    # rich pads every line to the table's width; a file or a pipe is better without the blanks.
    text = captured.get() if is_terminal() else "\n".join(line.rstrip() for line in captured.get().split("\n"))
    typer.echo(text, nl=False, color=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on stderr while something takes time, for a person only."""
    if not is_terminal(sys.stderr):
        yield
        return
    with console(sys.stderr).status(what):
        yield
