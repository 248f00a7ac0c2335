"""What a function's log records look like. Follows awslambdaric's behaviour and
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html.

Rule: one record is one log event. Output travels as lines, so the newlines inside a record are sent as `NEWLINE`
and the server turns them back.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from typing import Any

NEWLINE = "\x1e\x1f\x1e"
_NBSP = "\u00a0"
_KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "message", "asctime", "taskName"}


class Records(logging.Handler):
    """The root logger's handler; knows which request is running."""

    def __init__(self, *, as_json: bool) -> None:
        """Lines in AWS's text form, or one JSON object a record."""
        super().__init__()
        self.request_id = ""
        self.as_json = as_json
        self._plain = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one event."""
        try:
            record.aws_request_id = self.request_id
            write_event(self._json(record) if self.as_json else self._text(record))
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - logging never breaks the function
            self.handleError(record)

    def _text(self, record: logging.LogRecord) -> str:
        return f"[{record.levelname}]\t{stamp(record.created)}\t{self.request_id}\t{self._plain.format(record)}"

    def _json(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "timestamp": stamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        kind, error, trace = record.exc_info or (None, None, None)
        if kind is not None:
            event["stackTrace"] = traceback.format_tb(trace)
            event["errorType"] = kind.__name__
            event["errorMessage"] = str(error)
        if self.request_id:
            event["requestId"] = self.request_id
        if kind is not None:
            event["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        event.update((k, v) for k, v in record.__dict__.items() if k not in _KNOWN and k not in event)
        return json.dumps(event, ensure_ascii=False, default=str)


def install(variables: dict[str, str]) -> Records:
    """Give the root logger AWS's handler, and the level that the function's logging configuration asks for."""
    handler = Records(as_json=variables.get("AWS_LAMBDA_LOG_FORMAT") == "JSON")
    root = logging.getLogger()
    root.addHandler(handler)
    level = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(
        variables.get("AWS_LAMBDA_LOG_LEVEL", ""), variables.get("AWS_LAMBDA_LOG_LEVEL", "")
    )
    if level in {"DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL"}:
        root.setLevel(level)
    return handler


def stamp(seconds: float) -> str:
    """`2026-11-21T09:30:00.125Z`."""
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((seconds - whole) * 1000):03d}Z"


def write_event(text: str) -> None:
    """One event to the log, however many lines it has, after everything printed before it."""
    flush()
    data = (text.rstrip("\n").replace("\n", NEWLINE) + "\n").encode("utf-8", "backslashreplace")
    view = memoryview(data)
    while view:  # straight to the descriptor: the function may have replaced or closed `sys.stdout`
        view = view[os.write(1, view) :]


def write_error(document: dict[str, Any], handler: Records) -> None:
    """The `[ERROR]` event of an exception that left the function's code."""
    if handler.as_json:
        event = {"timestamp": stamp(time.time()), "level": "ERROR", **document}
        write_event(json.dumps(event, ensure_ascii=False, default=str))
        return
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    for entry in document.get("stackTrace", ()):
        lines += [_hard_indent(line) for line in entry.splitlines()]
    write_event("\n".join(lines))


def _hard_indent(line: str) -> str:
    # AWS indents with no-break spaces so that no viewer trims them.
    text = line.lstrip(" ")
    return _NBSP * (len(line) - len(text)) + text


def open_streams() -> None:
    """Fresh standard streams on the redirected descriptors: UTF-8, written at every line end."""
    # A lone surrogate or a broken byte must not raise in a print.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = os.fdopen(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush() -> None:
    """Push out what was printed without a line end; a stream the function closed or replaced is its own business."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001,S112,PERF203 - whatever the function put there
            continue
