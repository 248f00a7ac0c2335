"""What a command prints: plain columns that read at 80, colour on a terminal only, JSON for programs.

Rule: data goes to stdout; notes, questions and progress go to stderr, so that a pipe carries data alone.
"""

import json
import os
import shutil
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

UNLIMITED = 1000
"""Columns of a line that goes to a file or a pipe: nothing is folded, so that grep sees whole rows."""
CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
"""Every control character except tab and newline."""
PATIENCE_S = 0.7
"""A spinner for less than this would only flicker."""
WIDE = 110
"""From here on a table has room for a reason column."""


def print_json(value: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """One JSON document on one line, at once, for a stream of them."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def note(text: str, *, colour: str | None = None, fold: bool = True) -> None:
    """A remark for the person, not part of the data. On a terminal it is folded between words."""
    text = printable(text, sys.stderr)
    if fold and is_terminal(sys.stderr):
        columns = shutil.get_terminal_size().columns
        folded = (
            textwrap.wrap(line, columns, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
        )
        text = "\n".join("\n".join(lines) for lines in folded)
    typer.echo(paint(text, colour, sys.stderr) if colour else text, err=True)


def printable(text: str, stream: TextIO | None = None) -> str:
    """What may go to a terminal (default: stdout): a function's log or a marker's reason must not steer it."""
    return text.translate(CONTROLS) if is_terminal(stream) else text


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Coloured for a terminal (default: stdout) that wants it, else as it is. See https://no-color.org."""
    wanted = is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return typer.style(text, fg=colour) if wanted else text


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


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a style, e.g. `bold red`; the style shows on a terminal only."""

    text: str
    style: str = ""


Content = Cell | str | Sequence[Cell]
"""One cell of a table: a text, or several texts under each other."""


def is_wide() -> bool:
    """Is there room for long rows? A pipe has room for any."""
    return not is_terminal() or shutil.get_terminal_size().columns >= WIDE


def print_table(heads: Sequence[str], rows: Sequence[Sequence[Content]], folds: tuple[str, ...]) -> None:
    """Columns without lines around them. Only the columns named in `folds` give way when the screen is narrow."""
    from rich.table import Table  # noqa: PLC0415 - see console

    screen = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head not in folds, overflow="fold")
    for row in rows:
        table.add_row(*(_styled(content) for content in row))
    _print(screen, table)


def _styled(content: Content) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - see console

    match content:
        case Cell():
            return Text(printable(content.text), content.style)
        case str():
            return Text(printable(content))
    return Text("\n").join(_styled(cell) for cell in content)


def print_facts(facts: Sequence[tuple[str, Content]]) -> None:
    """A name and what is known about it, line by line."""
    from rich.table import Table  # noqa: PLC0415 - see console

    screen = console()
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, content in facts:
        table.add_row(name, _styled(content))
    _print(screen, table)


def _print(screen: "Console", content: "RenderableType") -> None:
    with screen.capture() as captured:
        screen.print(content)
    # rich pads every line to the table's width; a file or a pipe is better without the blanks.
    text = captured.get() if is_terminal() else "\n".join(line.rstrip() for line in captured.get().split("\n"))
    typer.echo(text, nl=False, color=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on stderr once something takes a while, for a person only."""
    if not is_terminal(sys.stderr):
        yield
        return
    status = console(sys.stderr).status(what)
    later = threading.Timer(PATIENCE_S, status.start)
    later.start()
    try:
        yield
    finally:
        later.cancel()
        later.join()  # else it could start after the stop
        status.stop()
