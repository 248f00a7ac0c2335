"""A Penstock server as a child process, for tests that look at it from outside. Imports nothing of Penstock.

PENSTOCK_PYTHON names the interpreter that runs the server (default: this checkout's .venv), so that the tests
themselves may run under another environment with another boto3.
"""

import io
import json
import os
import shlex
import signal
import subprocess
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).parents[1]
READY_WITHIN_S = 60.0
ROLE = "arn:aws:iam::000000000000:role/test"
HELLO = "def handler(event, context):\n    return {'version': context.function_version, 'event': event}\n"


def zip_of(files: dict[str, str | bytes], executable: tuple[str, ...] = ()) -> bytes:
    """A deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path in executable else 0o100644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def penstock(*arguments: str) -> list[str]:
    """The command line of the `penstock` of this checkout."""
    return [os.environ.get("PENSTOCK_PYTHON", str(ROOT / ".venv/bin/python")), "-m", "penstock", *arguments]


def environment() -> dict[str, str]:
    """This process's environment without anything that would point AWS tools elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "AWS_EC2_METADATA_DISABLED": "true"}


def wait_until(condition: Any, seconds: float = 30.0, every: float = 0.05, what: str = "the condition") -> Any:
    """The first true value of `condition()`, or an AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(every)


class RunningServer:
    """`penstock up` in a directory; it may be killed and started again."""

    def __init__(self, data: Path, *options: str):
        self.data = data
        self.options = options
        self.log_path = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = "0"

    def start(self) -> "RunningServer":
        """Start and wait until it answers. After the first start it keeps its port, as an operator's server does."""
        command = penstock("up", "--data", str(self.data), "--port", self.port, *self.options)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
        wait_until(self._ready, READY_WITHIN_S, what=f"the server ({self.log_path})")
        self.port = self.endpoint.rsplit(":", 1)[1]
        return self

    def kill(self) -> None:
        """Kill -9, at this instant."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def endpoint(self) -> str:
        return str(json.loads((self.data / "server.json").read_text())["endpoint"])

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.endpoint + "/_penstock/health", timeout=5) as reply:
            return dict(json.load(reply))

    def env(self) -> dict[str, str]:
        """What `penstock env` sets, for AWS tools in a subprocess."""
        answer = subprocess.run(
            penstock("env", "--json", "--data", str(self.data)),
            check=True,
            capture_output=True,
            env=environment(),
            timeout=60,
        )
        return {k: v for k, v in json.loads(answer.stdout).items() if v is not None}

    def client(self, service: str, **options: Any) -> Any:
        """An unmodified boto3 client. No retries, so that every error is seen."""
        if not hasattr(self, "_env"):
            self._env = self.env()
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=40).merge(Config(**options))
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self._env["AWS_REGION"],
            aws_access_key_id=self._env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._env["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `penstock …` on this server's directory."""
        done = subprocess.run(
            penstock(*arguments, "--data", str(self.data)),
            capture_output=True,
            check=False,
            text=True,
            env=environment(),
            timeout=120,
        )
        assert not check or done.returncode == 0, f"{shlex.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def _ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"the server ended:\n{self.log}"
        try:
            content = json.loads((self.data / "server.json").read_text())
            return content["pid"] == self.process.pid and bool(self.health())
        except (OSError, ValueError, KeyError):
            return False
