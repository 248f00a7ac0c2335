"""The platform's lines, letter by letter."""

import json

import pytest

from penstock.execution.lines import JsonLines, Report, TextLines, billed, lines_for, stream_name

AT = 1_800_000_000.125
REPORT = Report(request_id="r-1", duration_ms=1.234, billed_ms=2, memory_mb=128, used_mb=40)
HEAD = "REPORT RequestId: r-1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"


def but(**changes):
    return REPORT._replace(**changes)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (REPORT, HEAD),
        (but(init_ms=100.0), HEAD + "Init Duration: 100.00 ms\t"),
        (but(status="timeout", error_type="Sandbox.Timedout"), HEAD + "Status: timeout"),
        (but(status="error", error_type="Runtime.ExitError"), HEAD + "Status: error\tError Type: Runtime.ExitError"),
        (but(handled=False, error_type="ValueError"), HEAD),
    ],
    ids=["warm", "cold", "timeout", "crash", "handler error"],
)
def test_report(report, line):
    assert TextLines().end(AT, report) == ["END RequestId: r-1", line]


def test_text_around_an_invoke():
    text = TextLines()
    assert text.start(AT, "r-1", "$LATEST") == ["START RequestId: r-1 Version: $LATEST"]
    assert text.init_start(AT, "python3.11", "arn:x") == [
        "INIT_START Runtime Version: python3.11\tRuntime Version ARN: arn:x"
    ]
    assert text.init_report(AT, 10000.0, "init", "timeout", None) == [
        "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
    ]
    assert text.failure(AT, "r-1", "Task timed out after 3.00 seconds", "Sandbox.Timedout") == [
        "2027-01-15T08:00:00.125Z r-1 Task timed out after 3.00 seconds"
    ]
    assert text.failure(AT, "r-1", "Runtime exited with error: exit status 1", "Runtime.ExitError") == [
        "RequestId: r-1 Error: Runtime exited with error: exit status 1\nRuntime.ExitError"
    ]


@pytest.mark.parametrize(
    ("duration", "init", "whole"),
    [(1.0, None, 1), (1.01, None, 2), (0.0, None, 1), (1.5, 100.0, 102), (3000.0, None, 3000)],
)
def test_billed(duration, init, whole):
    assert billed(duration, init) == whole


@pytest.mark.parametrize(
    ("level", "report", "kinds"),
    [
        (None, REPORT, ["platform.report"]),
        ("DEBUG", REPORT, ["platform.runtimeDone", "platform.report"]),
        ("WARN", REPORT, []),
        ("WARN", but(status="timeout"), ["platform.runtimeDone", "platform.report"]),
        ("INFO", but(handled=False, error_type="ValueError"), ["platform.runtimeDone", "platform.report"]),
    ],
)
def test_json_levels(level, report, kinds):
    assert [json.loads(line)["type"] for line in JsonLines("orders", level).end(AT, report)] == kinds


def test_json_report():
    (line,) = lines_for("orders", "JSON", None).end(AT, but(init_ms=99.5))
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.125Z",
        "type": "platform.report",
        "record": {
            "requestId": "r-1",
            "metrics": {
                "durationMs": 1.234,
                "billedDurationMs": 2,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 40,
                "initDurationMs": 99.5,
            },
            "status": "success",
        },
    }


def test_stream_name():
    assert stream_name(AT, "7", "ab" * 16) == "2027/01/15/[7]" + "ab" * 16
