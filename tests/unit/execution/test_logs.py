"""What functions print and log, as it arrives in the log sink."""

import json
import re

import pytest

from penstock.execution.model import OutcomeKind

STAMP = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LOG = "import logging\nlog = logging.getLogger()\n"


def run_and_read(bench, body, **settings):
    """The messages between START and END of one invoke of a handler with this body."""

    async def scenario(b):
        indented = "\n".join("    " + line for line in body.splitlines())
        version = b.function(f"{LOG}def handler(event, context):\n{indented}\n", **settings)
        outcome = await b.invoke(version, request_id="RID")
        return outcome, b.logs.all()

    return bench(scenario)


def between(lines):
    start = next(n for n, line in enumerate(lines) if line.startswith("START "))
    return lines[start + 1 : lines.index("END RequestId: RID")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("print('hello')\nprint()\nprint('a', 'b')", ["hello", "", "a b"]),
        ("print('no end', end='')", ["no end"]),
        ("import sys\nprint('err', file=sys.stderr)\nprint('out')", ["err", "out"]),
        ("import os\nos.write(1, b'raw\\n')\nos.write(2, b'raw2\\n')", ["raw", "raw2"]),
        ("import subprocess\nsubprocess.run(['echo', 'child'])", ["child"]),
        ("import sys\nsys.stdout.buffer.write(b'\\xff\\xfe\\n')\nsys.stdout.buffer.flush()", ["\ufffd\ufffd"]),
        ("print('\\ud800 lone')", ["\\ud800 lone"]),
        ("print('x' * 300000)", ["x" * 262144, "x" * 37856]),
        ("log.info('not seen')\nlog.warning('a\\nb')", [r"\[WARNING\]\t" + STAMP + r"\tRID\ta\nb"]),
        ("logging.getLogger('x').error('no %s', 1)", [r"\[ERROR\]\t" + STAMP + r"\tRID\tno 1"]),
        ("print('first')\nlog.error('second')\nprint('third')", ["first", r"\[ERROR\]\t.*second", "third"]),
        ("import sys\nsys.stdout.close()\nlog.error('still here')", [r"\[ERROR\]\t.*still here"]),
        ("context.log('through the context')", ["through the context"]),
    ],
)  # fmt: skip
def test_text(bench, body, expected):
    outcome, lines = run_and_read(bench, body)
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    got = between(lines)
    assert len(got) == len(expected)
    for line, pattern in zip(got, expected, strict=True):
        assert line == pattern or re.fullmatch(pattern, line, re.DOTALL)


def test_an_exception_is_one_event_with_its_traceback(bench):
    _, lines = run_and_read(bench, "raise ValueError('boom')")
    (event,) = between(lines)
    assert event.startswith("[ERROR] ValueError: boom\nTraceback (most recent call last):\n\xa0\xa0File ")
    assert event.endswith("\n\xa0\xa0\xa0\xa0raise ValueError('boom')")


def test_a_logged_exception_is_one_event(bench):
    _, lines = run_and_read(bench, "try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('math')")
    (event,) = between(lines)
    assert "\tRID\tmath\nTraceback (most recent call last):\n" in event
    assert event.endswith("ZeroDivisionError: division by zero")


def test_json_format(bench):
    body = "print('plain')\nlog.debug('no')\nlog.info('it is %s', 5, extra={'order': 7})\nraise KeyError('k')"
    _, lines = run_and_read(bench, body, log_format="JSON")
    assert "plain" in lines
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert [e.get("type") or e.get("level") for e in events] == [
        "platform.initStart", "platform.start", "INFO", "ERROR", "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    info, error = events[2:4]
    assert re.fullmatch(STAMP, info.pop("timestamp"))
    assert info == {"level": "INFO", "message": "it is 5", "logger": "root", "requestId": "RID", "order": 7}
    assert (error["errorType"], error["errorMessage"], error["requestId"]) == ("KeyError", "'k'", "RID")
    assert events[-1]["record"]["status"] == "error"


@pytest.mark.parametrize(
    ("level", "seen"), [(None, ["INFO", "ERROR"]), ("DEBUG", ["DEBUG", "INFO", "ERROR"]), ("ERROR", ["ERROR"])]
)
def test_application_level(bench, level, seen):
    body = "log.debug('d')\nlog.info('i')\nlog.error('e')"
    _, lines = run_and_read(bench, body, log_format="JSON", application_log_level=level, system_log_level="WARN")
    assert [json.loads(line)["level"] for line in lines] == seen


def test_a_hundred_megabytes_are_bounded_and_the_rest_told(bench):
    outcome, lines = run_and_read(bench, "for _ in range(100):\n    print('x' * 1_000_000)", timeout_s=20)
    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert sum(map(len, lines)) < 17 << 20
    assert re.search(r"^\[PENSTOCK\] \d+ lines dropped", outcome.log_tail.decode(), re.MULTILINE)
    assert lines[-1].startswith("REPORT ")


def test_streams_and_groups(bench):
    async def scenario(b):
        await b.invoke(b.function("def handler(e, c):\n    return 1\n", name="plain"))
        await b.invoke(b.function("def handler(e, c):\n    return 1\n", version="7", log_group="/own"))
        return list(b.logs.streams)

    (default, first), (own, second) = bench(scenario)
    assert (default, own) == ("/aws/lambda/plain", "/own")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", first)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", second)


def test_lines_of_an_init_that_fails_once_and_then_works(bench, tmp_path):
    async def scenario(b):
        mark = tmp_path / "mark"
        source = (
            f"import os\nif not os.path.exists({str(mark)!r}):\n    open({str(mark)!r}, 'w')\n    raise OSError('db')\n"
            "def handler(e, c):\n    return 'fine'\n"
        )
        outcome = await b.invoke(b.function(source), request_id="RID")
        return outcome, b.logs

    outcome, logs = bench(scenario)
    assert outcome.payload == b'"fine"'
    assert outcome.init_ms is None
    (lines,) = logs.streams.values()
    assert [line.split(" ")[0].split("\t")[0] for line in lines] == [
        "INIT_START", "[ERROR]", "INIT_REPORT", "START", "END", "REPORT",
    ]  # fmt: skip
    assert "Phase: init\tStatus: error\tError Type: OSError" in lines[2]
