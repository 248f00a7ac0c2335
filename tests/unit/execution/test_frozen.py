"""Between invocations nothing in an environment runs; at the next invoke it goes on."""

import asyncio
import json

import pytest

from penstock.execution.sandbox.model import Level

COUNT = """
import os, threading, time
count = 0
def work():
    global count
    while True:
        count += 1
        time.sleep(0.001)
threading.Thread(target=work, daemon=True).start()
if os.fork() == 0:
    n = 0
    while True:
        n += 1
        open('/tmp/child' if os.getcwd() == '/var/task' else os.environ['TMPDIR'] + '/child', 'w').write(str(n))
        time.sleep(0.001)
def handler(e, c):
    before = count
    time.sleep(e)
    child = '/tmp/child' if os.getcwd() == '/var/task' else os.environ['TMPDIR'] + '/child'
    return [before, count, int(open(child).read() or 0)]
"""


@pytest.mark.parametrize("level", [Level.FULL, Level.PROCESS])
def test_background_work_stands_still_and_goes_on(bench, levels, level):
    if level not in levels:
        pytest.skip(f"this machine has no {level} isolation")

    async def scenario(b):
        version = b.function(COUNT, memory_mb=1769, timeout_s=10)
        first = json.loads((await b.invoke(version, b"0.3")).payload)
        await asyncio.sleep(1.0)
        second = json.loads((await b.invoke(version, b"0.3")).payload)
        return first, second

    (_, then, child_then), (now, later, child_now) = bench(
        scenario, isolation="required" if level is Level.FULL else "process"
    )
    assert then > 20
    assert now - then < 60  # ten milliseconds of a second's idling, and what the machine is late by
    assert later - now > 20
    assert child_now - child_then < 500


def test_invokes_that_follow_each_other_are_not_frozen_between(bench, levels):
    async def scenario(b):
        version = b.function("def handler(e, c):\n    return 1\n", memory_mb=1769)
        await b.invoke(version)
        frozen = []
        (environment,) = b.room._pool.all()
        for _ in range(20):
            await b.invoke(version)
            frozen.append(environment._frozen)
        await b.until(lambda: environment._frozen)
        return frozen

    assert not any(bench(scenario, isolation="auto"))
