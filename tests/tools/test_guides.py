"""The README and the guides are executed, command by command, as a reader would type them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from running import ROOT, RunningServer, environment

AWS = Path(os.environ.get("AWS_CLI", str(ROOT / ".venv-tools/bin/aws")))
BLOCK = re.compile(r"^```(bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(page: str) -> str:
    """What a reader types: `bash` blocks whole, of `console` blocks the lines behind a prompt."""
    script = []
    for kind, text in BLOCK.findall((ROOT / page).read_text()):
        if kind == "bash":
            script.append(text)
            continue
        lines, going_on = [], False
        for line in text.splitlines():
            if going_on or line.startswith("$ "):
                lines.append(line.removeprefix("$ "))
                going_on = line.endswith("\\")
        script += lines
    # Set-up and the server itself are the fixtures' part.
    return "\n".join(line for line in script if not re.match(r"(make|source|penstock up)\b", line))


@pytest.fixture
def reader(tmp_path):
    """Types a page into bash, in a copy of the checkout's examples, next to a running server."""
    server = RunningServer(tmp_path / "data", "--clock-speed", "60").start()
    work = tmp_path / "checkout"
    work.mkdir()
    shutil.copytree(ROOT / "examples", work / "examples")
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    python = os.environ.get("PENSTOCK_PYTHON", str(ROOT / ".venv/bin/python"))
    (bin_directory / "penstock").write_text(f'#!/bin/sh\nexec "{python}" -m penstock "$@"\n')
    (bin_directory / "penstock").chmod(0o755)
    (bin_directory / "aws").symlink_to(AWS)
    (bin_directory / "python3").symlink_to(python)
    variables = environment() | {
        "PATH": f"{bin_directory}:{Path(python).parent}:/usr/bin:/bin",
        "PENSTOCK_DATA": str(server.data),
        "AWS_PAGER": "",
        "NO_COLOR": "1",
    }

    def read(page: str, ends: int = 0) -> str:
        script = "set -euo pipefail\n" + typed(page)
        done = subprocess.run(
            ["bash", "-c", script], cwd=work, env=variables, capture_output=True, check=False, text=True, timeout=170
        )
        assert done.returncode == ends, f"{page}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    yield read
    assert server.stop() == 0, server.log


def test_the_readme(reader) -> None:
    # The alias has had one version only, so the last line is refused, and says why.
    output = reader("README.md", ends=1)
    assert '"total_cents": 2990' in output
    assert "function created" in output
    assert "penstock rollback orders:live --to N" in output


def test_first_safe_release(reader) -> None:
    output = reader("docs/guides/first-safe-release.md")
    assert re.search(r'"Stopped",\s+"One or more alarms have been activated', output)
    alias = output.split('"Stopped"')[1]
    assert re.search(r'"FunctionVersion": "2"', alias)
    assert "rolled back" in output.lower()
    assert "checkout fails for Swiss customers" in output
