"""A function that many tests may try to break: none of them may succeed, so one is enough for a module."""

import os
from collections.abc import Iterator

import pytest

from running import ROLE, RunningServer, zip_of


@pytest.fixture(scope="module")
def shared(server: RunningServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an active function that stays as it is throughout the module."""
    client, name = server.client("lambda"), f"shared-{os.getpid()}-{request.module.__name__.rsplit('.', 1)[-1]}"
    code = {"ZipFile": zip_of({"app.py": "x = 1"})}
    client.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="app.handler", Code=code)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    yield name
    client.delete_function(FunctionName=name)
