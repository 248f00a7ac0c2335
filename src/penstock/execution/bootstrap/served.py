"""The Python runtime as a program of its own, for environments with extensions: the same life as in a fork of the
zygote, but its channel is the Runtime API. Rule: nothing but the channel differs.

Started as a script with `-I -S`: `served.py LAYER_DIRECTORY…`.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import site
import sys
import time
import types
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120
VERSION = "/2018-06-01/runtime"
NAMES = {
    "client_context": "Lambda-Runtime-Client-Context",
    "identity": "Lambda-Runtime-Cognito-Identity",
    "trace": "Lambda-Runtime-Trace-Id",
}


class HttpChannel:
    """Frames as requests to the Runtime API; see `frames.BlockingChannel`."""

    def __init__(self, address: str, frames: Any) -> None:
        """Nothing is asked before the first `receive`."""
        self._frames = frames
        self._connection = http.client.HTTPConnection(address)
        self._id = ""
        self._sequence = 0

    def receive(self) -> tuple[int, int, bytes, bytes]:
        """Wait for the next event."""
        reply, body = self._exchange("GET", "/invocation/next", None, {})
        self._id = str(reply.headers["Lambda-Runtime-Aws-Request-Id"])
        self._sequence += 1
        told: dict[str, Any] = {
            "request_id": self._id,
            "arn": reply.headers["Lambda-Runtime-Invoked-Function-Arn"],
            "remaining_ms": int(reply.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000,
        }
        for name, header in NAMES.items():
            value = reply.headers.get(header)
            if value:
                told[name] = value.encode("latin-1").decode("utf-8", "replace")
        return self._frames.INVOKE, self._sequence, json.dumps(told).encode(), body

    def send(self, kind: int, sequence: int, meta: bytes = b"", body: bytes = b"") -> None:
        """Post what a frame would carry; READY is told by asking for an event."""
        del sequence
        if kind == self._frames.READY:
            return
        if kind == self._frames.RESULT:
            self._exchange("POST", f"/invocation/{self._id}/response", body, {})
            return
        path = "/init/error" if kind == self._frames.INIT_ERROR else f"/invocation/{self._id}/error"
        error_type = json.loads(meta)["error_type"].encode("ascii", "replace").decode()
        self._exchange("POST", path, body, {"Lambda-Runtime-Function-Error-Type": error_type})

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, VERSION + path, body, headers)
        reply = self._connection.getresponse()
        return reply, reply.read()


def main() -> None:
    """See the module."""
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    for name in ("penstock", "penstock.execution", "penstock.execution.bootstrap"):
        package = types.ModuleType(name)
        package.__path__ = [HERE] if name.endswith("bootstrap") else []
        sys.modules[name] = package
    bootstrap = importlib.import_module("penstock.execution.bootstrap.environment")
    frames = importlib.import_module("penstock.execution.bootstrap.frames")
    for name in [name for name in sys.modules if name.partition(".")[0] == "penstock"]:
        del sys.modules[name]  # function code finds no `penstock`
    for give in (site.setquit, site.setcopyright, site.sethelper):
        give()
    variables = dict(os.environ)
    plan = {
        "handler": variables["_HANDLER"],
        "task_root": variables["LAMBDA_TASK_ROOT"],
        "layer_paths": sys.argv[1:],
        "variables": variables,
    }
    bootstrap.run(lambda: bootstrap.serve(HttpChannel(variables["AWS_LAMBDA_RUNTIME_API"], frames), plan))


if __name__ == "__main__":
    main()
