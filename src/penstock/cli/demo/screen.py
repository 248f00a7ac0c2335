"""What the demo shows while it goes. Rule: one line a fact, readable without colour and in a CI log."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

BAR = 20


class Screen:
    """The terminal."""

    def __init__(self, console: Console):
        """Colour only where the console finds a terminal."""
        self.console = console

    def chapter(self, number: int, title: str) -> None:
        """A new part of the story."""
        self.console.print(f"\n[bold]{number}. {title}[/bold]")

    def say(self, text: str) -> None:
        """A remark."""
        self.console.print(f"   {text}", highlight=False)

    def tick(self, at: float, weights: dict[str, float], errors: tuple[int, int], alarm: str, status: str) -> None:
        """One look at the release: business time, weights, error rate of the last minute, alarm, deployment."""
        failed, total = errors
        rate = f"{100 * failed / total:4.1f} %" if total else "   – "
        split = "  ".join(f"v{version} {100 * share:5.1f} %" for version, share in sorted(weights.items()))
        newest = max(weights, key=int)
        filled = round(BAR * weights[newest])
        bar = "█" * filled + "░" * (BAR - filled)
        colour = {"OK": "green", "ALARM": "red"}.get(alarm, "yellow")
        self.console.print(
            f"   {clock_time(at)}  {bar}  {split:<26} errors {rate}  alarm [{colour}]{alarm:<5}[/{colour}]  {status}",
            highlight=False,
        )

    def facts(self, title: str, rows: list[tuple[str, str]]) -> None:
        """A table of two columns."""
        table = Table(
            title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2)
        )
        for name, value in rows:
            table.add_row(name, value)
        self.console.print()
        self.console.print(table)


def clock_time(at: float) -> str:
    """An instant as the time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
