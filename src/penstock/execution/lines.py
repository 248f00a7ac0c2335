"""The lines the platform writes around an invoke: INIT_START, START, END, REPORT. Rule: pure, AWS's format.

Text as in https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html; with the JSON log format, the platform
events of https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html, filtered by the system level.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

LEVELS = {"DEBUG": 0, "INFO": 1, "WARN": 2}


class Report(NamedTuple):
    """What REPORT says. `status` is None when the invoke reached its end, else `timeout` or `error`."""

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    handled: bool = True
    """False when the handler ended in an error of its own."""


def billed(duration_ms: float, init_ms: float | None) -> int:
    """Whole milliseconds paid for; the init phase counts since August 2025."""
    return max(1, math.ceil(round(duration_ms + (init_ms or 0.0), 2)))


def stamp(at: float) -> str:
    """`2026-11-21T09:30:00.125Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class TextLines:
    """The classic lines."""

    def init_start(self, at: float, runtime: str, arn: str) -> list[str]:
        """The first line of an environment's log."""
        del at
        return [f"INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {arn}"]

    def init_report(self, at: float, duration_ms: float, phase: str, status: str, error_type: str | None) -> list[str]:
        """Only written when an init phase failed."""
        del at
        tail = f"\tError Type: {error_type}" if error_type and status == "error" else ""
        return [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{tail}"]

    def start(self, at: float, request_id: str, version: str) -> list[str]:
        """Before the handler runs."""
        del at
        return [f"START RequestId: {request_id} Version: {version}"]

    def failure(self, at: float, request_id: str, message: str, error_type: str) -> list[str]:
        """The platform's word on a timeout or a crash."""
        if error_type == "Sandbox.Timedout":
            return [f"{stamp(at)} {request_id} {message}"]
        return [f"RequestId: {request_id} Error: {message}\n{error_type}"]

    def end(self, at: float, report: Report) -> list[str]:
        """END and REPORT."""
        del at
        text = (
            f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms"
            f"\tBilled Duration: {report.billed_ms} ms\tMemory Size: {report.memory_mb} MB"
            f"\tMax Memory Used: {report.used_mb} MB\t"
        )
        if report.init_ms is not None:
            text += f"Init Duration: {report.init_ms:.2f} ms\t"
        if report.status:
            text += f"Status: {report.status}"
        if report.status == "error":
            text += f"\tError Type: {report.error_type}"
        return [f"END RequestId: {report.request_id}", text]


class JsonLines:
    """Platform events, for functions with the JSON log format."""

    def __init__(self, function: str, level: str | None, initialization: str = "on-demand") -> None:
        """`level` is the function's system log level; INFO when it is not set."""
        self._function = function
        self._initialization = initialization
        self._level = LEVELS.get(level or "INFO", 1)

    def init_start(self, at: float, runtime: str, arn: str) -> list[str]:
        """`platform.initStart`."""
        record = {
            "initializationType": self._initialization,
            "phase": "init",
            "runtimeVersion": runtime,
            "runtimeVersionArn": arn,
            "functionName": self._function,
        }
        return self._event(at, "platform.initStart", record, "INFO")

    def init_report(self, at: float, duration_ms: float, phase: str, status: str, error_type: str | None) -> list[str]:
        """`platform.initReport`."""
        record: dict[str, Any] = {
            "initializationType": self._initialization,
            "phase": phase,
            "status": status,
            "metrics": {"durationMs": round(duration_ms, 3)},
        }
        if error_type and status == "error":
            record["errorType"] = error_type
        return self._event(at, "platform.initReport", record, "WARN")

    def start(self, at: float, request_id: str, version: str) -> list[str]:
        """`platform.start`."""
        return self._event(at, "platform.start", {"requestId": request_id, "version": version}, "INFO")

    def failure(self, at: float, request_id: str, message: str, error_type: str) -> list[str]:
        """The platform's word on a timeout or a crash."""
        event = {"timestamp": stamp(at), "level": "ERROR", "errorType": error_type, "errorMessage": message}
        return [json.dumps({**event, "requestId": request_id}, separators=(",", ":"))]

    def end(self, at: float, report: Report) -> list[str]:
        """`platform.runtimeDone` (seen at DEBUG, or when it failed) and `platform.report`."""
        status = report.status or ("success" if report.handled else "error")
        level = "DEBUG" if status == "success" else "WARN"
        done: dict[str, Any] = {"requestId": report.request_id, "status": status}
        metrics: dict[str, Any] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        whole: dict[str, Any] = {"requestId": report.request_id, "metrics": metrics, "status": status}
        if report.error_type and status != "success":
            done["errorType"] = whole["errorType"] = report.error_type
        return self._event(at, "platform.runtimeDone", done, level) + self._event(
            at, "platform.report", whole, "INFO" if status == "success" else "WARN"
        )

    def _event(self, at: float, kind: str, record: Mapping[str, Any], level: str) -> list[str]:
        if LEVELS[level] < self._level:
            return []
        return [json.dumps({"time": stamp(at), "type": kind, "record": record}, separators=(",", ":"))]


TEXT = TextLines()
PlatformLines = TextLines | JsonLines


def lines_for(
    function: str, log_format: str, system_level: str | None, initialization: str = "on-demand"
) -> PlatformLines:
    """The writer a function's logging configuration asks for."""
    return JsonLines(function, system_level, initialization) if log_format == "JSON" else TEXT


def stream_name(at: float, version: str, ident: str) -> str:
    """`2026/11/21/[$LATEST]<32 hex>`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/[{version}]{ident}"
