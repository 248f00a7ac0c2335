"""`penstock logs`: a function's log, once or followed.

Rule: a log group that is not there yet is said to be empty only after the function itself was found.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from penstock.cli.connection import Connection, connect, fetch_health
from penstock.cli.moments import local, parse_duration
from penstock.cli.options import Data, check_duration
from penstock.cli.screen import note, paint, print_json_line, printable
from penstock.cli.sdk import client, plain_errors, split_qualifier
from penstock.core.clock import Clock, SystemClock

OVERLAP_S = 15.0
"""How far back every look repeats the one before, in business seconds at speed 1: events may be stored late."""
LOOK_EVERY_S = 1.0
VERSION_IN_STREAM = re.compile(r"\[([^\]]+)\]")
FAILED = re.compile(r"\bERROR\b|\bTraceback\b|Task timed out|\[ERROR\]|errorType")
FRAME = re.compile(r"(?:START|END|REPORT|INIT_START) ")


def logs(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="Name or ARN; a qualifier is ignored.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(callback=check_duration, help="How far back, e.g. 90s, 10m, 2h.")] = "10m",
    pattern: Annotated[
        str | None, typer.Option("--filter", metavar="PATTERN", help="CloudWatch filter pattern, e.g. ERROR.")
    ] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="Only this version, e.g. 3 or $LATEST.")] = None,
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print a function's log lines, oldest first.

    Examples:
      penstock logs orders --since 1h --filter ERROR
      penstock logs orders --version 4 --follow
    """
    connection = connect(data)
    with plain_errors(connection):
        reader = Reader(connection, function, pattern, version)
        health = fetch_health(connection.server)
        now = float(health["business_time"])
        start = now - parse_duration(since)
        shown = asyncio.run(print_events(reader, start, now, SystemClock() if follow else None, as_json=as_json))
    if not shown and not follow:
        note(f"no log lines of {function} in the last {since}{_narrowed(pattern, version)}.")


async def print_events(reader: "Reader", start: float, now: float, clock: Clock | None, *, as_json: bool) -> int:
    """Print what is there, then, with a clock, what comes. How many lines were printed."""
    shown = 0
    while True:
        for event in reader.fresh(start):
            print_event(event, now, as_json=as_json)
            shown += 1
        if clock is None:
            return shown
        await clock.pause(LOOK_EVERY_S)


class Reader:
    """Reads a function's log group; every event comes out once."""

    def __init__(self, connection: Connection, function: str, pattern: str | None, version: str | None):
        """Find the log group. Raises `CommandError` when there is no such function."""
        self._logs = client(connection, "logs")
        self._overlap_s = OVERLAP_S * max(1.0, connection.server.clock_speed)
        self._version = version
        self._filter = {"filterPattern": pattern} if pattern else {}
        self._seen: dict[str, float] = {}
        self._newest = 0.0
        self.group = _log_group(connection, function)

    def fresh(self, start: float) -> Iterator[dict[str, Any]]:
        """Events since `start` (business time) that did not come out yet, oldest first."""
        since = max(start, self._newest - self._overlap_s)
        self._seen = {key: at for key, at in self._seen.items() if at >= since}
        for event in sorted(self._events(since), key=lambda event: float(event["timestamp"])):
            at = event["timestamp"] / 1000
            if event["eventId"] in self._seen or not self._is_wanted(event):
                continue
            self._seen[event["eventId"]] = at
            self._newest = max(self._newest, at)
            yield event

    def _events(self, since: float) -> list[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events")
        start = int(since * 1000)
        try:
            found = pages.paginate(logGroupName=self.group, startTime=start, **self._filter)
            return [event for page in found for event in page["events"]]
        except self._logs.exceptions.ResourceNotFoundException:
            return []  # the function was found, so its group comes with its first log line

    def _is_wanted(self, event: dict[str, Any]) -> bool:
        return self._version is None or stream_version(event["logStreamName"]) == self._version


def _log_group(connection: Connection, function: str) -> str:
    name = split_qualifier(function)["FunctionName"]
    found = client(connection, "lambda").get_function_configuration(FunctionName=name)
    group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{found['FunctionName']}"
    return str(group)


def stream_version(stream: str) -> str | None:
    """The `3` of `2026/11/21/[3]5f0c…`."""
    found = VERSION_IN_STREAM.search(stream)
    return found[1] if found else None


def print_event(event: dict[str, Any], now: float, *, as_json: bool) -> None:
    """One event: time, version, message."""
    version = stream_version(event["logStreamName"])
    if as_json:
        print_json_line(
            {
                "at": event["timestamp"] / 1000,
                "version": version,
                "stream": event["logStreamName"],
                "message": event["message"],
            }
        )
        return
    message = printable(event["message"].rstrip("\n"))
    at = event["timestamp"] / 1000
    head = f"{local(at, now)}.{int(event['timestamp']) % 1000:03d} {version or '-'}"
    typer.echo(f"{paint(head, 'cyan')}  {_styled_message(message)}")


def _styled_message(message: str) -> str:
    if FRAME.match(message):
        return paint(message, "bright_black")
    return paint(message, "red") if FAILED.search(message) else message


def _narrowed(pattern: str | None, version: str | None) -> str:
    parts = ([f"version {version}"] if version else []) + ([f"pattern {pattern!r}"] if pattern else [])
    return f" for {' and '.join(parts)}" if parts else ""
