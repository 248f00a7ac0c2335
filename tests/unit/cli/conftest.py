"""A stand-in for the server, and ways to run a command: in this process, or as a program on a real terminal."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from penstock.cli.main import main
from penstock.core.serverfile import ServerFile, write_server_file

NOW = 1_800_000_000.0
"""The fake server's business time: 2027-01-15T08:00:00Z."""


@dataclass
class Seen:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    @property
    def route(self) -> str:
        """`GET /path`, or the operation of an AWS JSON service, e.g. `Logs_20140328.FilterLogEvents`."""
        return self.headers.get("x-amz-target") or f"{self.method} {self.path.partition('?')[0]}"

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.path.partition("?")[2]))


@dataclass
class Reply:
    """What to answer. A callable value is asked anew for every request."""

    value: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeServer:
    """Answers `replies["GET /path"]`, whatever the query, and remembers what it was asked."""

    data: Path
    endpoint: str
    replies: dict[str, Reply] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def reply(self, route: str, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer `route` with JSON, or with bytes as they are."""
        self.replies[route] = Reply(value, status, headers or {})

    def asked(self, route: str) -> list[Seen]:
        """The requests that came to `route`."""
        return [seen for seen in self.seen if seen.route == route]


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, body)
            server.seen.append(seen)
            unknown = Reply({"code": "NotFound", "message": f"no route {seen.route}"}, 404)
            reply = server.replies.get(seen.route, unknown)
            value = reply.value() if callable(reply.value) else reply.value
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(reply.status)
            for name, text in {**reply.headers, "content-length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that knows no server."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def write_credentials(data: Path) -> None:
    path = data / "credentials.json"
    path.write_text(json.dumps({"access_key_id": "AKIAEXAMPLE", "secret_access_key": "it's+secret/="}))
    path.chmod(0o600)


@pytest.fixture
def server(data: Path) -> Iterator[FakeServer]:
    """A running fake server that `data` points at."""
    fake = FakeServer(data, "")
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.endpoint = f"http://127.0.0.1:{http.server_port}"
    write_credentials(data)
    write_server_file(data, ServerFile(os.getpid(), fake.endpoint, "eu-central-1", "000000000000", 1.0, "0.1.0"))
    fake.reply("GET /_penstock/health", {"status": "ok", "version": "0.1.0", "business_time": NOW})
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    http.shutdown()
    thread.join()
    http.server_close()


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def screen(self) -> list[str]:
        """What a terminal shows, line by line: without colours, spinners and trailing blanks."""
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.out)
        return [line.rpartition("\r")[2].rstrip() for line in plain.splitlines()]


@pytest.fixture(autouse=True)
def _quiet_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "PENSTOCK_DATA", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC, here and in programs that a test starts."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a command in this process, without a terminal. The data directory comes through PENSTOCK_DATA."""
    monkeypatch.setenv("PENSTOCK_DATA", str(data))

    def _run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return Ran(int(left.value.code or 0), out, err)

    return _run


@pytest.fixture
def on_terminal(data: Path) -> Callable[..., Ran]:
    """Run a command as a program whose three streams are a terminal; `out` is all that the screen got."""

    def _run(*arguments: str, columns: int = 80, typed: str = "", environment: dict[str, str] | None = None) -> Ran:
        ours, theirs = pty.openpty()
        surroundings = {**os.environ, "PENSTOCK_DATA": str(data), "COLUMNS": str(columns), "TERM": "xterm-256color"}
        program = subprocess.Popen(
            [sys.executable, "-m", "penstock.cli.main", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**surroundings, **(environment or {})},
            start_new_session=True,
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        screen = bytearray()
        try:
            while chunk := os.read(ours, 65536):
                screen += chunk
        except OSError:
            pass  # Linux says EIO when the other side is gone
        finally:
            os.close(ours)
        return Ran(program.wait(timeout=30), screen.decode().replace("\r\n", "\n"), "")

    return _run
