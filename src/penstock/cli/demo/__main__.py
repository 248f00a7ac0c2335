"""`python -m penstock.cli.demo`: what `penstock demo` becomes."""

import typer

from penstock.cli.demo.command import demo

if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.command()(demo)
    app(prog_name="penstock demo")
