"""The servers that are measured side by side: how each is started, what a request for it is, when it is ready."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.client import Keys, signed

HERE = Path(__file__).parent
ROOT = HERE.parent
ROLE = "arn:aws:iam::000000000000:role/bench"
READY_WITHIN_S = 60.0


def package(name: str) -> bytes:
    """`functions/NAME.py` as a deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(HERE / "functions" / f"{name}.py", f"{name}.py")
    return buffer.getvalue()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def event(size: int) -> bytes:
    """An event of about `size` bytes."""
    return json.dumps({"pad": "x" * (size - 11)}).encode()


class Contender:
    """A server process."""

    name = ""
    keys = Keys("test", "test", "us-east-1")

    def __init__(self, work: Path) -> None:
        self.work = work / self.name
        self.work.mkdir(parents=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def command(self) -> list[str]:
        raise NotImplementedError

    def variables(self) -> dict[str, str]:
        # PYTHONDONTWRITEBYTECODE, say, would have everything compiled anew at each start.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
        return {**kept, "TMPDIR": str(self.work)}

    def start(self) -> "Contender":
        """Start and wait until it takes connections and what it must run is there."""
        with (self.work / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=self.variables(), cwd=self.work, start_new_session=True
            )
        wait_for(self.is_up, f"{self.name} ({self.work / 'log'})")
        self.prepare()
        return self

    def is_up(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {(self.work / 'log').read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def prepare(self) -> None:
        """Deploy what is measured."""

    def request(self, body: bytes) -> bytes:
        """The warm request."""
        return signed(self.port, "/2015-03-31/functions/trivial/invocations", body, self.keys)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_for(condition, what: str, every: float = 0.005) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come up in {READY_WITHIN_S:.0f} s")
        time.sleep(every)


class LambdaApi(Contender):
    """One that speaks the Lambda API."""

    def api(self):
        return boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=self.keys.region,
            aws_access_key_id=self.keys.access_key,
            aws_secret_access_key=self.keys.secret_key,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def deploy(self, name: str, source: str = "trivial") -> None:
        """A function, ready to be invoked and never invoked."""
        api = self.api()
        api.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info.minor}",
            Role=ROLE,
            Handler=f"{source}.handler",
            Code={"ZipFile": package(source)},
            MemorySize=1769,
            Timeout=60,
        )
        wait_for(lambda: api.get_function_configuration(FunctionName=name)["State"] == "Active", name, 0.02)

    def prepare(self) -> None:
        self.deploy("trivial")

    def invocation(self, name: str, body: bytes) -> bytes:
        return signed(self.port, f"/2015-03-31/functions/{name}/invocations", body, self.keys)


class Penstock(LambdaApi):
    """This server, everything on."""

    name = "penstock"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "penstock", "up", "--data", str(self.work / "data"), "--port", str(self.port)]

    def variables(self) -> dict[str, str]:
        return {**super().variables(), "PYTHONPATH": str(ROOT / "src")}

    def is_up(self) -> bool:
        super().is_up()  # raises when it ended
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_penstock/health", timeout=5) as reply:
                self.health = json.load(reply)
        except OSError:
            return False
        return True

    def prepare(self) -> None:
        command = [sys.executable, "-m", "penstock", "env", "--json", "--data", str(self.work / "data")]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, env=self.variables()).stdout)
        self.keys = Keys(told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"], told["AWS_REGION"])
        super().prepare()

    @property
    def level(self) -> str:
        """The isolation level it runs functions at."""
        told = self.health.get("isolation", "process")
        return str(told.get("level", "process") if isinstance(told, dict) else told)


class Floor(Contender):
    """See floor/front.py."""

    name = "floor"

    def command(self) -> list[str]:
        return [sys.executable, str(HERE / "floor" / "front.py"), str(self.port), "16"]


class FunctionsFramework(Contender):
    """functions-framework from PyPI, as its command starts it: one process, gunicorn, threads. No isolation at all."""

    name = "functions-framework"

    def __init__(self, work: Path, binaries: Path) -> None:
        super().__init__(work)
        self._binaries = binaries

    def command(self) -> list[str]:
        source = str(HERE / "functions" / "trivial.py")
        program = str(self._binaries / "functions-framework")
        return [program, "--target", "http", "--source", source, "--host", "127.0.0.1", "--port", str(self.port)]


class MiniStack(LambdaApi):
    """ministack from PyPI: an emulator of the AWS APIs that runs Python functions without docker."""

    name = "ministack"

    def __init__(self, work: Path, binaries: Path) -> None:
        super().__init__(work)
        self._binaries = binaries

    def command(self) -> list[str]:
        return [str(self._binaries / "ministack")]

    def variables(self) -> dict[str, str]:
        mine = {"GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "WARNING"}
        return {**super().variables(), **mine, "LAMBDA_EXECUTOR": "local", "DOCKER_HOST": "unix:///nonexistent"}

    def prepare(self) -> None:
        def deployed() -> bool:
            try:
                super(MiniStack, self).prepare()
            except (BotoCoreError, ClientError):
                return False
            return True

        wait_for(deployed, "ministack's Lambda API", 0.2)
