"""`penstock demo` tells its story, and its exit code is the truth."""

import re
import subprocess

from running import environment, penstock


def test_the_demo_catches_a_bad_release_and_takes_it_back() -> None:
    done = subprocess.run(penstock("demo"), capture_output=True, check=False, text=True, env=environment(), timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"v1  90\.0 %\s+v2  10\.0 %", done.stdout)
    assert "Stopped" in done.stdout
    assert "ROLLED BACK" in done.stdout
    assert "errors from Penstock itself    0" in done.stdout
    assert re.search(r"→ all traffic back\s+\d\d:\d\d:\d\d  after \d+ business seconds", done.stdout)
