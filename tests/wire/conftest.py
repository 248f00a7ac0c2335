"""Wire tests: unmodified boto3 against a running server. They import nothing of Penstock, so they also run under an
environment with another boto3 (`make test-wire-old`).
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running import HELLO, ROLE, RunningServer, zip_of

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Restarts, the command line and hand-made requests do not depend on the client's age: marked `once`."""
    for item in items:
        path = Path(item.fspath)
        apart = HERE in path.parents and path.relative_to(HERE).parts[0] in {"cli", "gateway"}
        if apart or "make_server" in getattr(item, "fixturenames", ()) or "ten_thousand" in item.name:
            item.add_marker(pytest.mark.once)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests of a worker, real time."""
    running = RunningServer(tmp_path_factory.mktemp("penstock") / "data").start()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture(scope="session")
def fast_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The same with business time 60 times faster: a minute a second."""
    running = RunningServer(tmp_path_factory.mktemp("fast") / "data", "--clock-speed", "60").start()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Servers of a test's own, to be killed and restarted."""
    made = []

    def make(*options: str, name: str = "data") -> RunningServer:
        made.append(RunningServer(tmp_path / name, *options))
        return made[-1].start()

    yield make
    for running in made:
        running.stop()


_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A resource name no other test uses."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def make_function(server: RunningServer, name: str) -> Iterator[Callable[..., str]]:
    """Creates functions from source and waits until they are active; deletes them afterwards."""
    client = server.client("lambda")
    made = []

    def make(source: str = HELLO, suffix: str = "", **settings: Any) -> str:
        function = name + suffix
        settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"} | settings
        client.create_function(FunctionName=function, Code={"ZipFile": zip_of({"app.py": source})}, **settings)
        made.append(function)
        client.get_waiter("function_active_v2").wait(FunctionName=function)
        return function

    yield make
    for function in made:
        client.delete_function(FunctionName=function)
