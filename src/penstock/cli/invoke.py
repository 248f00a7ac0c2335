"""`penstock invoke`: one call of a function; the payload on stdout, what happened on stderr."""

import base64
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.connection import connect
from penstock.cli.failure import REFUSED, usage
from penstock.cli.options import Data, Json
from penstock.cli.screen import note, print_json, working
from penstock.cli.sdk import client, plain_errors, split_qualifier


def invoke(
    function: Annotated[str, typer.Argument(metavar="FUNCTION[:QUALIFIER]", help="Name or ARN, e.g. orders:live.")],
    *,
    event: Annotated[
        str, typer.Option("--event", "-e", metavar="JSON|@FILE|-", help="The event: JSON, a file, or - for stdin.")
    ] = "{}",
    asynchronous: Annotated[
        bool, typer.Option("--async", help="Queue the event and do not wait for a result.")
    ] = False,
    tail: Annotated[bool, typer.Option("--tail", help="Show the end of the function's log.")] = False,
    data: Data,
    as_json: Json = False,
) -> None:
    """Call a function and print what it returned.

    The payload goes to stdout, everything else to stderr. Exit code 1 when the function failed.

    Examples:
      penstock invoke orders:live --event '{"id": 7}'
      penstock invoke orders:live --event @order.json --tail | jq .total
    """
    if tail and asynchronous:
        raise usage("--tail shows the log of a call that is waited for; with --async use `penstock logs` instead.")
    payload = read_event(event)
    connection = connect(data)
    with plain_errors(connection), working(f"calling {function}"):
        reply = client(connection, "lambda").invoke(
            **split_qualifier(function),
            Payload=payload,
            InvocationType="Event" if asynchronous else "RequestResponse",
            LogType="Tail" if tail else "None",
        )
        result = reply["Payload"].read()
    if as_json:
        print_json(describe(reply, result))
    else:
        show(reply, result)
    if "FunctionError" in reply:
        raise typer.Exit(REFUSED)


def read_event(text: str) -> bytes:
    """The event's bytes, just as they are: judging them is the server's part."""
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).expanduser().read_bytes()
    except OSError as error:
        raise usage(f"cannot read the event from {text[1:]}: {error.strerror}.") from error


def describe(reply: dict[str, Any], result: bytes) -> dict[str, Any]:
    """The whole outcome for programs."""
    return {
        "status_code": reply["StatusCode"],
        "request_id": reply["ResponseMetadata"].get("RequestId"),
        "executed_version": reply.get("ExecutedVersion"),
        "function_error": reply.get("FunctionError"),
        "payload": _parsed(result),
        "log_tail": log_tail(reply),
    }


def show(reply: dict[str, Any], result: bytes) -> None:
    """Log and facts to stderr, the payload to stdout."""
    if lines := log_tail(reply):
        note(lines.rstrip("\n"), fold=False)
    version = reply.get("ExecutedVersion")
    facts = [
        f"version {version}" if version else "accepted" if reply["StatusCode"] == 202 else "",
        f"request {reply['ResponseMetadata'].get('RequestId')}",
    ]
    if error := reply.get("FunctionError"):
        note(f"the function failed ({error}) · " + " · ".join(filter(None, facts)), colour="red")
    else:
        note(" · ".join(filter(None, facts)))
    if result:
        typer.echo(result, nl=not result.endswith(b"\n"))


def log_tail(reply: dict[str, Any]) -> str | None:
    """The last 4 KB of the log, when they were asked for."""
    encoded = reply.get("LogResult")
    return base64.b64decode(encoded).decode(errors="replace") if encoded else None


def _parsed(result: bytes) -> Any:
    try:
        return json.loads(result) if result else None
    except ValueError:
        return result.decode(errors="replace")
