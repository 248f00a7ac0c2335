"""The attacks of `attacks.py` at every level that this machine has, and the bombs: the neighbour must recover."""

import asyncio
import json
import os
import re
import socket
import time
from pathlib import Path

import pytest

from penstock.execution.model import OutcomeKind
from penstock.execution.sandbox.model import Level
from unit.execution.attacks import ATTACKS, REFUSED, UNKNOWN

DOCS = Path(__file__).parents[3] / "docs" / "isolation.md"
GOOD = "def handler(e, c):\n    return e\n"
MARK = "import os\ndef handler(e, c):\n    open(os.environ['TMPDIR'] + '/mark', 'w').write('mine')\n"


@pytest.fixture(params=[Level.FULL, Level.PROCESS])
def level(request, levels):
    if request.param not in levels:
        pytest.skip(f"this machine has no {request.param} isolation: {levels}")
    return request.param


def options(level):
    return {"isolation": "required" if level is Level.FULL else "process"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_an_attack(bench, level, attack, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("keys")
    secret.chmod(0o600)

    async def scenario(b):
        await b.invoke(b.function(MARK, name="other"))
        other = b.function({"app.py": GOOD, "private.py": "KEY = 1\n"}, name="other")
        version = b.function(attack.source, timeout_s=20, memory_mb=512, name="attacker")
        (b.code.root / version.code_sha256 / "link").symlink_to(secret)
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as abstract:
            name = f"\0penstock-{os.getpid()}-{attack.name}"
            abstract.bind(name)
            abstract.listen()
            accepting = asyncio.get_running_loop().run_in_executor(None, _greet, listening)
            event = {
                "secret": str(secret), "data": str(tmp_path), "run": str(tmp_path / "run"), "pid": os.getpid(),
                "code": str(b.code.root / other.code_sha256 / "private.py"), "port": listening.getsockname()[1],
                "abstract": name,
            }  # fmt: skip
            outcome = await b.invoke(version, json.dumps(event).encode())
            with socket.socket() as waker:
                waker.connect(listening.getsockname())
                await accepting
        return outcome, await b.invoke(b.function(GOOD), b"1")

    outcome, after = bench(scenario, **options(level))
    expected = attack.full if level is Level.FULL else attack.process
    # Killed for it is refused too, unless the attack was meant to go through.
    found = json.loads(outcome.payload) if outcome.kind is OutcomeKind.SUCCEEDED else REFUSED
    assert after.payload == b"1"
    if level is Level.FULL or (expected != UNKNOWN and (expected == REFUSED or os.geteuid() == 0)):
        assert found == expected, outcome


def _greet(listening):
    one, _ = listening.accept()
    one.sendall(b"x")
    one.close()


def test_the_page_shows_this_table():
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", DOCS.read_text(), re.MULTILINE)
    told = {name: (full, process) for name, full, process in rows}
    for attack in ATTACKS:
        assert told[attack.name] == (attack.full, attack.process)


BOMBS = {
    "memory": "kept = []\n    while True: kept.append(b'x' * 10_000_000)",
    "memory of a child": (
        "import subprocess, sys\n"
        "    subprocess.run([sys.executable, '-c', 'x = []\\nwhile True: x.append(b\"x\" * 10_000_000)'])\n"
        "    while True: pass"
    ),
    "processes": (
        "while True:\n        try: os.fork()\n        except OSError: pass"
    ),
    "threads that compute": (
        "import threading\n    for _ in range(99): threading.Thread(target=spin).start()\n    spin()"
    ),
    "files": "n = 0\n    while True:\n        open(f'/tmp/{n}', 'w').write('x' * 5000)\n        n += 1",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_contained_and_the_neighbour_recovers(bench, levels, name):
    if Level.FULL not in levels:
        pytest.skip("contained at full isolation only")

    async def scenario(b):
        good = b.function(GOOD, name="good", timeout_s=30)
        await b.invoke(good, b"1")
        source = f"import os\ndef spin():\n    while True: pass\ndef handler(e, c):\n    {BOMBS[name]}\n"
        outcome = await b.invoke(b.function(source, timeout_s=2, name="bomb"))
        await b.until(lambda: all(row.function != "bomb" for row in b.room.status()), 10)
        took = []
        for _ in range(20):
            began = time.monotonic()
            assert (await b.invoke(good, b"2")).payload == b"2"
            took.append(time.monotonic() - began)
        return outcome, sorted(took)[10]

    outcome, median = bench(scenario, isolation="required")
    assert outcome.is_function_error
    assert median < 0.2
    if name.startswith("memory"):
        assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
        assert "signal: killed" in json.loads(outcome.payload)["errorMessage"]
        assert outcome.max_memory_mb == 128
        assert b"Max Memory Used: 128 MB" in outcome.log_tail
