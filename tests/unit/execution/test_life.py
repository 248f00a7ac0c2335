"""Environments over time: reuse, separation, time limits, memory, reaping, retiring, draining."""

import asyncio
import json
from pathlib import Path

import pytest

from penstock.execution.model import OutcomeKind
from penstock.execution.watch import RETIRE_AFTER_S

COUNT = "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n"
SLEEP = "import time, os\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"
PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"


def gone(pid):
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


def test_parallel_invokes_get_an_environment_each_and_then_share_them(bench):
    async def scenario(b):
        version = b.function(SLEEP, timeout_s=10)
        first = await asyncio.gather(*(b.invoke(version, b"0.4") for _ in range(8)))
        assert len(b.room.status()) == 8
        again = await b.invoke(version, b"0")
        return [value(o) for o in first], value(again), b.metrics.of("ConcurrentExecutions")

    first, again, concurrent = bench(scenario)
    assert len(set(first)) == 8
    assert again in first
    assert concurrent == [1, 2, 3, 4, 5, 6, 7, 8, 1]


def test_a_burst_of_cold_starts_loses_nobody(bench):
    async def scenario(b):
        version = b.function(PID, timeout_s=20)
        return [value(o) for o in await asyncio.gather(*(b.invoke(version) for _ in range(64)))]

    assert len(bench(scenario)) == 64


def test_versions_and_revisions_never_share(bench):
    async def scenario(b):
        old = b.function(COUNT)
        new = b.function(COUNT)
        other = b.function(COUNT, version="1")
        return [value(await b.invoke(v)) for v in (old, new, other, old)]

    assert bench(scenario) == [1, 1, 1, 2]


def test_temporary_files_stay_with_the_environment_and_go_with_it(bench):
    source = (
        "import os, tempfile\ndef handler(event, context):\n    d = tempfile.gettempdir()\n"
        "    open(d + '/x', 'a').write('1')\n    return [d, len(open(d + '/x').read()), os.environ['TMPDIR'] == d]\n"
    )

    async def scenario(b):
        version = b.function(source)
        first, second = value(await b.invoke(version)), value(await b.invoke(version))
        other = value(await b.invoke(b.function(source)))
        b.room.retire(version.scope, version.name)
        await b.until(lambda: not Path(first[0]).exists())
        return first, second, other

    first, second, other = bench(scenario)
    assert first[1:] == [1, True]
    assert second == [first[0], 2, True]
    assert other[0] != first[0]


def test_a_timeout_kills_the_environment_and_all_it_started(bench):
    source = (
        "import os, subprocess, time\ndef handler(event, context):\n"
        "    inner = subprocess.Popen(['sleep', '600'])\n"
        "    away = subprocess.Popen(['setsid', 'sleep', '600'])\n"
        "    time.sleep(0.1)\n"
        "    print(os.getpid(), inner.pid, away.pid, flush=True)\n    time.sleep(60)\n"
    )

    async def scenario(b):
        version = b.function(source, timeout_s=1)
        outcome = await b.invoke(version, request_id="RID")
        pids = [int(word) for word in next(x for x in b.logs.all() if x[0].isdigit()).split()]
        await b.until(lambda: all(map(gone, pids)))
        return outcome, b.logs.all(), b.metrics.of("Errors", FunctionName="orders")

    outcome, lines, errors = bench(scenario)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: RID Error: Task timed out after 1.00 seconds",
    }
    assert outcome.duration_ms == 1000.0
    assert lines[-3].endswith("Z RID Task timed out after 1.00 seconds")
    assert lines[-1].endswith("\tStatus: timeout")
    assert errors == [1.0]


def test_after_a_timeout_the_next_invoke_is_cold(bench):
    async def scenario(b):
        version = b.function(SLEEP, timeout_s=1)
        pid = value(await b.invoke(version, b"0"))
        assert (await b.invoke(version, b"9")).kind is OutcomeKind.TIMED_OUT
        fresh = await b.invoke(version, b"0")
        return pid, value(fresh), fresh.init_ms

    pid, fresh, init_ms = bench(scenario)
    assert pid != fresh
    assert init_ms is not None


def test_an_init_that_never_ends_is_tried_again_within_the_time_limit(bench, monkeypatch):
    monkeypatch.setattr("penstock.execution.warmup.INIT_LIMIT_S", 0.5)

    async def scenario(b):
        version = b.function("import time\nprint('init')\ntime.sleep(60)\n", timeout_s=1)
        outcome = await b.invoke(version, request_id="RID")
        await b.until(lambda: b.room.status() == [])
        return outcome, b.logs.all()

    outcome, lines = bench(scenario)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"
    assert lines.count("init") == 2
    assert [line.split("\t", 1)[1] for line in lines if line.startswith("INIT_REPORT")] == [
        "Phase: init\tStatus: timeout",
        "Phase: invoke\tStatus: timeout",
    ]
    assert "Task timed out after 1.00 seconds" in lines[-3]


def test_a_slow_init_leaves_the_handler_its_whole_time_limit(bench):
    async def scenario(b):
        source = "import time\ntime.sleep(1.2)\ndef handler(e, c):\n    return c.get_remaining_time_in_millis()\n"
        return await b.invoke(b.function(source, timeout_s=1))

    outcome = bench(scenario)
    assert 800 < value(outcome) <= 1000
    assert outcome.init_ms > 1200
    assert outcome.billed_ms > 1200


def test_more_memory_than_allowed_is_a_kill(bench):
    async def scenario(b):
        source = "import time\ndef handler(e, c):\n    x = bytearray(400 << 20)\n    time.sleep(20)\n"
        return await b.invoke(b.function(source, timeout_s=20), request_id="RID"), b.logs.all()

    outcome, lines = bench(scenario)
    assert outcome.kind is OutcomeKind.CRASHED
    assert json.loads(outcome.payload)["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert outcome.max_memory_mb == 128
    assert "Max Memory Used: 128 MB\tInit Duration" in lines[-1]
    assert lines[-1].endswith("Status: error\tError Type: Runtime.ExitError")


def test_idle_environments_are_reaped_and_the_rest_is_kept(bench):
    async def scenario(b):
        version = b.function(PID)
        pid = value(await b.invoke(version))
        await b.until(lambda: gone(pid) and not b.room.status())
        return value(await b.invoke(version)) != pid

    assert bench(scenario, idle_environment_s=0.3)


def test_retiring_ends_idle_ones_now_and_busy_ones_after_their_invoke(bench):
    async def scenario(b):
        old, kept = b.function(SLEEP, timeout_s=10), b.function(SLEEP, version="1")
        idle = value(await b.invoke(old, b"0"))
        keep = value(await b.invoke(kept, b"0"))
        busy, extra = (asyncio.ensure_future(b.invoke(old, b"0.5")) for _ in range(2))
        await b.until(lambda: [s.state for s in b.room.status()].count("busy") == 2)
        assert b.room.retire(old.scope, "orders", "$LATEST", keep_revision=kept.revision_id) == 2
        assert b.room.retire(old.scope, "orders", "$LATEST", keep_revision=old.revision_id) == 0
        pids = {idle, value(await busy), value(await extra)}
        await b.until(lambda: all(map(gone, pids)))
        assert value(await b.invoke(kept, b"0")) == keep
        return len(pids)

    assert bench(scenario) == 2


def test_a_crash_is_replaced(bench):
    async def scenario(b):
        version = b.function("import os\ndef handler(e, c):\n    os._exit(1) if e else None\n    return os.getpid()\n")
        first = value(await b.invoke(version, b"0"))
        assert (await b.invoke(version, b"1")).kind is OutcomeKind.CRASHED
        return first, value(await b.invoke(version, b"0")), b.metrics.of("Errors", FunctionName="orders")

    first, second, errors = bench(scenario)
    assert first != second
    assert errors == [0.0, 1.0, 0.0]


def test_a_caller_that_goes_away_does_not_end_the_invoke(bench, tmp_path):
    async def scenario(b):
        mark = tmp_path / "done"
        version = b.function(
            f"import time, os\ndef handler(e, c):\n    time.sleep(e)\n    open({str(mark)!r}, 'w')\n"
            "    return os.getpid()\n"
        )
        caller = asyncio.ensure_future(b.invoke(version, b"0.4"))
        await b.until(lambda: any(s.state == "busy" for s in b.room.status()))
        caller.cancel()
        await b.until(mark.exists)
        await b.until(lambda: all(s.state == "idle" for s in b.room.status()))
        (row,) = b.room.status()
        assert value(await b.invoke(version, b"0")) == row.pid
        return b.metrics.of("Invocations"), b.room.admission.running(version.scope, "orders")

    assert bench(scenario) == ([1.0, 1.0], 0)


def test_a_caller_that_goes_away_during_the_cold_start_does_not_lose_the_environment(bench):
    async def scenario(b):
        version = b.function("import time\ntime.sleep(0.3)\n" + PID)
        caller = asyncio.ensure_future(b.invoke(version))
        await asyncio.sleep(0)
        caller.cancel()
        await b.until(lambda: [s.state for s in b.room.status()] == ["idle"])
        return b.metrics.of("Invocations")

    assert bench(scenario) == [1.0]


def test_draining_lets_invokes_end_and_refuses_new_ones(bench):
    async def scenario(b):
        version = b.function(SLEEP)
        running = asyncio.ensure_future(b.invoke(version, b"0.4"))
        await b.until(lambda: any(s.state == "busy" for s in b.room.status()))
        drained = await b.room.drain(5)
        refused = await b.invoke(version, b"0")
        return drained, value(await running) > 0, refused

    drained, ended, refused = bench(scenario)
    assert drained
    assert ended
    assert (refused.kind, refused.error_code) == (OutcomeKind.PLATFORM_ERROR, "ServiceException")


def test_stopping_settles_what_does_not_end(bench):
    async def scenario(b):
        version = b.function(SLEEP, timeout_s=60)
        running = asyncio.ensure_future(b.invoke(version, b"50"))
        await b.until(lambda: any(s.state == "busy" for s in b.room.status()))
        pid = b.room.status()[0].pid
        await b.room.stop(drain_s=0.1)
        return (await running).kind, gone(pid)

    assert bench(scenario) == (OutcomeKind.PLATFORM_ERROR, True)


@pytest.mark.parametrize(
    ("reserved", "limit", "reason"),
    [
        (0, 1000, "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (2, 1000, "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (None, 2, "ConcurrentInvocationLimitExceeded"),
    ],
)
def test_throttling(bench, reserved, limit, reason):
    async def scenario(b):
        version = b.function(SLEEP)
        calls = [b.invoke(version, b"0.3", reserved_concurrency=reserved) for _ in range(4)]
        return await asyncio.gather(*calls), b.metrics

    outcomes, metrics = bench(scenario, account_concurrency=limit)
    throttled = [o for o in outcomes if o.kind is OutcomeKind.THROTTLED]
    assert len(throttled) == (4 if reserved == 0 else 2)
    assert {o.reason for o in throttled} == {reason}
    assert not any(o.is_function_error for o in throttled)
    for dimensions in ({}, {"FunctionName": "orders"}, {"FunctionName": "orders", "Resource": "orders"}):
        assert len(metrics.of("Throttles", **dimensions)) == len(throttled)
        assert len(metrics.of("Invocations", **dimensions)) == 4 - len(throttled)


def test_metrics_of_an_alias(bench):
    async def scenario(b):
        version = b.function("def handler(e, c):\n    return 1 / e\n", version="3")
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders:live"
        await b.invoke(version, b"1", invoked_arn=arn, alias="live")
        await b.invoke(version, b"0", invoked_arn=arn, alias="live")
        return b.metrics

    metrics = bench(scenario)
    alias = {"FunctionName": "orders", "Resource": "orders:live"}
    for dimensions in ({}, {"FunctionName": "orders"}, alias, {**alias, "ExecutedVersion": "3"}):
        assert metrics.of("Invocations", **dimensions) == [1.0, 1.0]
        assert metrics.of("Errors", **dimensions) == [0.0, 1.0]
        assert all(0 < duration < 1000 for duration in metrics.of("Duration", **dimensions))
    assert metrics.of("ConcurrentExecutions", **alias) == [1, 1]


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"runtime": "ruby3.3"}, "InvalidRuntimeException", "ruby3.3"),
        ({"code_sha256": "missing"}, "InvalidZipFileException", "no package missing"),
    ],
)
def test_our_own_failures_are_told_and_are_no_function_errors(bench, settings, code, words):
    async def scenario(b):
        return await b.invoke(b.function(PID, **settings)), b.metrics.of("Invocations"), b.room.status()

    outcome, invocations, rows = bench(scenario)
    assert (outcome.kind, outcome.error_code) == (OutcomeKind.PLATFORM_ERROR, code)
    assert words in outcome.reason
    assert not outcome.is_function_error
    assert invocations == []
    assert rows == []


def test_an_environment_ends_before_its_keys_expire(bench):
    async def scenario(b):
        version = b.function(PID)
        first = value(await b.invoke(version))
        (environment,) = b.room._pool.all()
        environment.created_at -= RETIRE_AFTER_S + 1
        await b.until(lambda: b.room.status() == [])
        return first, value(await b.invoke(version))

    first, second = bench(scenario)
    assert first != second
