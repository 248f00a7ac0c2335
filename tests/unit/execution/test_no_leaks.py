"""After a stop, and after `kill -9` and a restart, nothing of ours is left: process, namespace, cgroup, mount, file."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.execution.sandbox.groups import group_name
from penstock.execution.sandbox.model import Level

SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import Bench

HANDLER = '''
import os, subprocess, time
def handler(event, context):
    subprocess.Popen(["sleep", "600"])
    subprocess.Popen(["setsid", "-f", "sleep", "600"])
    time.sleep(event)
'''

async def main():
    b = Bench(Path(sys.argv[1]), isolation="required")
    await b.room.start()
    if len(sys.argv) > 2:
        await b.room.stop(drain_s=0.1)
        return
    await b.invoke(b.function(HANDLER), b"0")
    asyncio.ensure_future(b.invoke(b.function(HANDLER, timeout_s=600), b"600"))
    await b.until(lambda: any(row.state == "busy" for row in b.room.status()))
    await b.until(lambda: any(one._frozen for one in b.room._pool.all()))
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def of_ours(run: Path) -> list[str]:
    """Processes in a control group of this data directory's, which is every process of every cell."""
    found, name = [], group_name(run.resolve())
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(OSError):
            if name in file.read_text():
                found.append(f"{file.parent.name} {(file.parent / 'comm').read_text()}")
    return found


def groups_of(run: Path) -> list[Path]:
    name = group_name(run.resolve())
    return [Path(path) for path, _, _ in os.walk("/sys/fs/cgroup") if path.endswith(name)]


@pytest.mark.parametrize("how", [signal.SIGKILL, "both"], ids=["kill -9", "kill -9 of server and zygote"])
def test_a_restart_sweeps_what_a_kill_left(tmp_path, levels, how):
    if Level.FULL not in levels or os.geteuid() != 0:
        pytest.skip("full isolation as root only")
    script = tmp_path / "server.py"
    script.write_text(SERVER.format(tests=str(Path(__file__).parent)))
    home = tmp_path / "home"
    home.mkdir()
    server = subprocess.Popen([sys.executable, str(script), str(home)], stdout=subprocess.PIPE, env=os.environ)
    children = []
    try:
        assert server.stdout.readline() == b"ready\n"
        assert of_ours(home / "run")
        assert groups_of(home / "run")
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    finally:
        if how == "both":
            for child in children:
                os.kill(int(child), signal.SIGKILL)
        server.kill()
        server.wait()
        server.stdout.close()
    restarted = subprocess.run(
        [sys.executable, str(script), str(home), "again"], timeout=60, check=False, env=os.environ
    )
    assert restarted.returncode == 0
    deadline = time.monotonic() + 10
    while (left := of_ours(home / "run")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []
    assert groups_of(home / "run") == []
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert list((home / "run" / "environments").iterdir()) == []


def test_a_stop_leaves_nothing(bench, levels, tmp_path):
    if Level.FULL not in levels:
        pytest.skip("full isolation only")

    async def scenario(b):
        for _ in range(3):
            await b.invoke(b.function("def handler(e, c):\n    return 1\n"))
        await b.until(lambda: groups_of(tmp_path / "run"))

    before = len(list(Path("/proc/self/fd").iterdir()))
    bench(scenario, isolation="required")
    assert groups_of(tmp_path / "run") == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
