"""The demo's own server: a free port, a temporary directory, fast business time. Rule: it leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as ClientConfig

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0


class DemoServer:
    """`penstock up` as a child process."""

    def __init__(self, speed: float):
        """Start it and wait until it answers; raises RuntimeError with its log when it does not."""
        self.data = Path(tempfile.mkdtemp(prefix="penstock-demo-"))
        self.speed = speed
        self._log = (self.data / "server.log").open("wb")
        command = [sys.executable, "-m", "penstock", "up", "--data", str(self.data), "--port", "0"]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--clock-speed", str(speed)], stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self.endpoint = self._wait_until_ready()
            self._tie_business_time()
        except BaseException:
            self.stop()
            raise
        self._session = boto3.Session(**self._keys())

    def client(self, service: str, connections: int = 10) -> Any:
        """An unmodified boto3 client pointed at this server."""
        config = ClientConfig(max_pool_connections=connections, retries={"total_max_attempts": 1}, read_timeout=30)
        return self._session.client(service, endpoint_url=self.endpoint, config=config)

    def business_now(self) -> float:
        """The server's business time, seconds since the epoch."""
        return self._business_at_start + (_monotonic() - self._monotonic_at_start) * self.speed

    def stop(self) -> None:
        """Stop the server and delete its directory."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        shutil.rmtree(self.data, ignore_errors=True)

    def _wait_until_ready(self) -> str:
        deadline = _monotonic() + READY_WITHIN_S
        while _monotonic() < deadline and self._process.poll() is None:
            try:
                endpoint = str(json.loads((self.data / "server.json").read_text())["endpoint"])
                _get(endpoint + "/_penstock/health")
            except (OSError, ValueError):
                threading.Event().wait(0.05)
            else:
                return endpoint
        log = (self.data / "server.log").read_text(errors="replace")
        raise RuntimeError(f"the server did not become ready; its log:\n{log}")

    def _tie_business_time(self) -> None:
        before = _monotonic()
        self._business_at_start = float(_get(self.endpoint + "/_penstock/health")["business_time"])
        self._monotonic_at_start = (before + _monotonic()) / 2

    def _keys(self) -> dict[str, str]:
        command = [sys.executable, "-m", "penstock", "env", "--json", "--data", str(self.data)]
        answer = subprocess.run(command, check=True, capture_output=True, env=os.environ)  # noqa: S603
        values = json.loads(answer.stdout)
        return {
            "aws_access_key_id": values["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": values["AWS_SECRET_ACCESS_KEY"],
            "region_name": values["AWS_REGION"],
        }


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - our own http endpoint
        return json.load(reply)


def _monotonic() -> float:
    return time.monotonic()  # noqa: TID251 - a client's stopwatch; there is no server clock here
