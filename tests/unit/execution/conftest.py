"""A running room with in-memory sinks, and functions made from source text."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from penstock.core.clock import SystemClock
from penstock.core.context import Scope
from penstock.core.dice import SystemDice, new_uuid
from penstock.execution.model import Invocation, Outcome
from penstock.execution.room import Execution
from penstock.execution.sandbox.model import Demand, Level
from penstock.registry.model import FunctionVersion, UsedLayer

SCOPE = Scope("123456789012", "eu-west-1")


class Meter:
    """A `Meter` that records each sample on its own."""

    def __init__(self, sink, scope, namespace, series) -> None:
        self.sink, self.scope, self.namespace, self.series = sink, scope, namespace, series

    def add(self, values, at) -> None:
        for (name, dimensions, unit), value in zip(self.series, values, strict=True):
            self.sink.record(self.scope, self.namespace, name, dimensions, value, unit, at)


class MetricsInMemory:
    """A `MetricSink` that keeps every sample."""

    def __init__(self) -> None:
        self.samples = []

    def record(self, scope, namespace, metric, dimensions, value, unit, at) -> None:
        self.samples.append((metric, dimensions, value))
        assert scope == SCOPE
        assert namespace == "AWS/Lambda"
        assert list(dimensions) == sorted(dimensions)
        assert unit in ("Count", "Milliseconds")
        assert at > 0

    def meter(self, scope, namespace, series):
        return Meter(self, scope, namespace, series)

    def of(self, metric: str, **dimensions: str) -> list[float]:
        wanted = tuple(sorted(dimensions.items()))
        return [value for name, found, value in self.samples if name == metric and found == wanted]


class LogsInMemory:
    """A `LogSink` that keeps every line."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}

    def append(self, scope, group, stream, lines) -> None:
        assert scope == SCOPE
        assert all(line.at > 0 for line in lines)
        self.streams.setdefault((group, stream), []).extend(line.message for line in lines)

    def all(self) -> list[str]:
        return [line for lines in self.streams.values() for line in lines]

    def text(self) -> str:
        return "\n".join(self.all())


class Credentials:
    """A `RoleCredentials` that says who asked."""

    def issue(self, role_arn: str, session_name: str) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "ASIATEST",
            "AWS_SECRET_ACCESS_KEY": f"secret of {role_arn}",
            "AWS_SESSION_TOKEN": f"token of {session_name}",
        }


class Code:
    """A `CodeStore` of directories."""

    def __init__(self, root: Path, layer_root: Path) -> None:
        self.root, self.layer_root = root, layer_root
        root.mkdir(exist_ok=True)

    @property
    def directory(self) -> Path:
        return self.root

    async def layers(self, code_sha256s: Sequence[str]) -> Path | None:
        """Merging is the registry's: here a function has one layer at most."""
        assert len(code_sha256s) <= 1
        return self.layer_root / code_sha256s[0] if code_sha256s else None

    async def unpacked(self, code_sha256: str) -> Path:
        path = self.root / code_sha256
        if not path.is_dir():
            raise FileNotFoundError(f"no package {code_sha256}")
        return path


class Bench:
    """One room under test."""

    def __init__(self, root: Path, **options) -> None:
        self.metrics, self.logs, self.code = (
            MetricsInMemory(),
            LogsInMemory(),
            Code(root / "code", root / "run" / "layers"),
        )
        self.dice = SystemDice()
        self.room = Execution(
            run=root / "run",
            clock=SystemClock(),
            dice=self.dice,
            code=self.code,
            credentials=Credentials(),
            metrics=self.metrics,
            logs=self.logs,
            endpoint=lambda: "http://127.0.0.1:4566",
            path=os.environ["PATH"],
            **{"isolation": Demand.PROCESS, **options},
        )

    def function(self, source: str | dict[str, str], **settings) -> FunctionVersion:
        """A version whose package is `app.py` with this source, or these files."""
        files = {"app.py": source} if isinstance(source, str) else source
        sha = self._stored(self.code.root, files)
        values = {
            "scope": SCOPE,
            "name": "orders",
            "version": "$LATEST",
            "runtime": "python3.11",
            "handler": "app.handler",
            "role": "arn:aws:iam::123456789012:role/orders",
            "code_sha256": sha,
            "code_size": 1,
            "revision_id": new_uuid(self.dice),
            "last_modified_at": 0.0,
        }
        return FunctionVersion(**{**values, **settings})

    def layer(self, files: dict[str, str]) -> UsedLayer:
        """A layer with these files, all of them executable."""
        sha = self._stored(self.code.layer_root, files)
        for name in files:
            (self.code.layer_root / sha / name).chmod(0o755)
        return UsedLayer("arn:aws:lambda:eu-west-1:123456789012:layer:tools:1", sha, 1, 1)

    def _stored(self, root: Path, files: dict[str, str]) -> str:
        sha = self.dice.token(8).hex()
        for name, text in files.items():
            path = root / sha / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return sha

    def invocation(self, version: FunctionVersion, payload: bytes = b"{}", **settings) -> Invocation:
        values = {
            "request_id": new_uuid(self.dice),
            "payload": payload,
            "invoked_arn": f"arn:aws:lambda:eu-west-1:123456789012:function:{version.name}",
        }
        return Invocation(**{**values, **settings})

    async def invoke(self, version: FunctionVersion, payload: bytes = b"{}", **settings) -> Outcome:
        async with asyncio.timeout(30):
            return await self.room.invoke(version, self.invocation(version, payload, **settings))

    async def until(self, condition: Callable[[], object], within_s: float = 5.0) -> None:
        """Wait for something to become true, or fail."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - conditions are about other processes
                await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def make_bench():
    """For fixtures that keep one room for a whole module."""
    return Bench


@pytest.fixture(scope="session")
def levels(tmp_path_factory) -> set[Level]:
    """The levels of isolation that this machine has."""

    async def strongest() -> Level:
        made = Bench(tmp_path_factory.mktemp("levels"), isolation=Demand.AUTO)
        await made.room.start()
        try:
            return made.room.isolation.level
        finally:
            await made.room.stop(drain_s=0.1)

    return {uvloop.run(strongest()), Level.PROCESS}


@pytest.fixture
def bench(tmp_path: Path):
    """`run(scenario)` runs an async scenario with a started room; options go to the room."""

    @asynccontextmanager
    async def started(**options):
        made = Bench(tmp_path, **options)
        await made.room.start()
        try:
            yield made
        finally:
            await made.room.stop(drain_s=0.1)

    def run(scenario, **options):
        async def whole():
            async with started(**options) as made:
                return await scenario(made)

        return uvloop.run(whole())

    return run
