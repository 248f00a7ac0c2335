"""Function code that breaks things: each case ends in an answer, and the next function runs as if nothing was."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from penstock.execution.model import OutcomeKind

OK, ERROR, CRASH, LATE = (
    OutcomeKind.SUCCEEDED, OutcomeKind.HANDLER_ERROR, OutcomeKind.CRASHED, OutcomeKind.TIMED_OUT,
)  # fmt: skip

FIND_CHANNEL = """
import os, socket, stat
def channel():
    for fd in range(3, 1024):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            pass
"""

FORGE = """
import struct
def forge(sequence, meta, body):
    head = struct.pack('>HBIII', 0x50E5, 5, sequence, len(meta), len(body))
    os.write(channel(), head + meta + body)
"""

CASES = {
    "closes its channel": ("os.close(channel())", {CRASH}),
    "closes everything": ("os.closerange(0, 1024)", {CRASH}),
    "closes its channel and sleeps": ("os.close(channel()); time.sleep(30)", {CRASH}),
    "writes garbage to its channel": ("os.write(channel(), b'garbage' * 100); time.sleep(30)", {CRASH}),
    "writes endless garbage": ("while True: os.write(channel(), bytes(65536))", {CRASH}),
    "announces a huge frame": (
        "os.write(channel(), struct.pack('>HBIII', 0x50E5, 5, 1, 0, 0xFFFFFFFF)); time.sleep(30)",
        {CRASH},
    ),
    "forges a second reply": ("forge(1, b'{\"rss_kb\": 1}', b'7')", {OK}),
    "forges a reply with broken meta": ("forge(1, b'[]', b'7'); time.sleep(30)", {CRASH}),
    "forges replies without end": ("while True: forge(99, b'{\"rss_kb\": 1}', b'7')", {CRASH}),
    "forks and both return": ("os.fork()", {OK}),
    "forks and the child raises": ("if os.fork() == 0: raise SystemExit(3)", {OK}),
    "forks and the child goes on for ever": ("if os.fork() == 0: time.sleep(600)", {OK}),
    "leaves threads": ("threading.Thread(target=time.sleep, args=(600,)).start()", {OK}),
    "leaves a printing thread": ("threading.Thread(target=shout).start()", {OK}),
    "leaves threads and exits": ("threading.Thread(target=time.sleep, args=(600,)).start(); sys.exit(1)", {CRASH}),
    "exit handler hangs": ("atexit.register(time.sleep, 600); sys.exit(1)", {LATE}),
    "recursion": ("handler(event, context)", {ERROR}),
    "deep result": ("return functools.reduce(lambda inner, _: [inner], range(100000), [])", {ERROR, CRASH}),
    "ignores signals": ("[signal.signal(s, signal.SIG_IGN) for s in (2, 3, 10, 12, 15)]; time.sleep(60)", {LATE}),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", {LATE}),
    "breaks the built-ins": ("builtins.len = None; json.dumps = None", {OK, ERROR, CRASH}),
    "makes its channel non-blocking": ("os.set_blocking(channel(), False); return 'x' * 5000000", {OK, CRASH}),
    "deletes its directory": ("shutil.rmtree(os.environ['TMPDIR'], ignore_errors=True)", {OK}),
    "uses up the descriptors": ("while True: kept.append(open('/dev/null'))", {ERROR, CRASH}),
    "kills its group": ("os.killpg(0, 9)", {CRASH}),
}
BEFORE = f"""
import atexit, builtins, functools, json, shutil, signal, sys, threading, time
{FIND_CHANNEL}{FORGE}
kept = []
def shout():
    while True:
        print('x' * 1000)
"""


@pytest.mark.parametrize("name", CASES)
def test_the_server_stands(bench, name):
    body, kinds = CASES[name]

    async def scenario(b):
        source = f"{BEFORE}\ndef handler(event, context):\n    {body}\n    return 1\n"
        bad = b.function(source, timeout_s=1 if LATE in kinds else 5, name="bad")
        good = b.function("def handler(e, c):\n    return e\n", name="good", timeout_s=10)
        warm = await b.invoke(good, b"1")
        outcome = await b.invoke(bad)
        after = await b.invoke(good, b"2")
        again = await b.invoke(bad)
        assert (warm.payload, after.payload) == (b"1", b"2")
        return outcome, again

    outcome, again = bench(scenario)
    assert outcome.kind in kinds, outcome
    assert again.kind in kinds, again
    if outcome.kind is not OK:
        json.loads(outcome.payload)


def test_a_killed_zygote_is_replaced_and_its_environments_end(bench):
    async def scenario(b):
        version = b.function(
            "import os, time\ndef handler(e, c):\n    time.sleep(e)\n    return os.getpid()\n", timeout_s=20
        )
        first = await b.invoke(version, b"0")
        running = asyncio.ensure_future(b.invoke(version, b"15"))
        await b.until(lambda: any(s.state == "busy" for s in b.room.status()))
        os.kill(b.room.zygotes()[0].pid, 9)
        crashed = await running
        await b.until(lambda: b.room.status() == [])
        second = await b.invoke(version, b"0")
        return first, crashed, second

    first, crashed, second = bench(scenario)
    assert crashed.kind is CRASH
    assert second.kind is OK
    assert first.payload != second.payload
    status = Path(f"/proc/{int(first.payload)}/status")
    assert not status.exists() or "\nState:\tZ" in status.read_text()


def test_an_environment_that_dies_while_idle_is_not_handed_out(bench):
    async def scenario(b):
        version = b.function("import os\ndef handler(e, c):\n    return os.getpid()\n")
        pid = int((await b.invoke(version)).payload)
        os.kill(pid, 9)
        await b.until(lambda: b.room.status() == [])
        return pid, await b.invoke(version)

    pid, second = bench(scenario)
    assert second.kind is OK
    assert int(second.payload) != pid
