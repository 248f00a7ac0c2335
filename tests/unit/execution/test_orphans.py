"""`kill -9` of the server leaves no process behind, whatever functions had started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import Bench

HANDLER = '''
import os, subprocess, time
def handler(event, context):
    first = subprocess.Popen(["sleep", "600"])
    away = subprocess.Popen(["setsid", "-f", "sleep", "600"])
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    print("started", flush=True)
    time.sleep(event)
    return 1
'''

async def main():
    b = Bench(Path(sys.argv[1]))
    await b.room.start()
    await b.invoke(b.function(HANDLER), b"0")
    running = asyncio.ensure_future(b.invoke(b.function(HANDLER, timeout_s=600), b"600"))
    await b.until(lambda: b.logs.all().count("started") == 2)
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def descendants(root: int) -> set[int]:
    """Every process below `root` now."""
    parents = {}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                parents[int(directory.name)] = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, layer = set(), {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer} - found
        found |= layer
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_nothing_is_left(tmp_path, how):
    script = tmp_path / "server.py"
    script.write_text(SERVER.format(tests=str(Path(__file__).parent)))
    home = tmp_path / "home"
    home.mkdir()
    server = subprocess.Popen([sys.executable, str(script), str(home)], stdout=subprocess.PIPE, env=os.environ)
    try:
        assert server.stdout.readline() == b"ready\n"
        below = descendants(server.pid)
        assert len(below) >= 9  # the zygote, two environments, three processes of each
    finally:
        server.send_signal(how)
        server.wait()
        server.stdout.close()
    deadline = time.monotonic() + 10
    while (left := [pid for pid in below if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []
