"""The unmodified aws CLI and its waiters run the whole life of a function, with nothing but `penstock env`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from running import ROLE, RunningServer, environment, zip_of

AWS = os.environ.get("AWS_CLI", str(Path(__file__).parents[2] / ".venv-tools/bin/aws"))


@pytest.fixture
def server(tmp_path):
    running = RunningServer(tmp_path / "data").start()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture
def aws(server):
    variables = environment() | server.env() | {"AWS_PAGER": "", "NO_COLOR": "1"}

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [AWS, *arguments], capture_output=True, check=False, text=True, env=variables, timeout=120
        )
        assert not check or done.returncode == 0, f"aws {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done

    return run


def test_the_whole_life_of_a_function(aws, tmp_path) -> None:
    package = tmp_path / "one.zip"
    package.write_bytes(zip_of({"app.py": "def handler(event, context):\n    print('hello log')\n    return event\n"}))
    aws(
        *("lambda", "create-function", "--function-name", "orders", "--runtime", "python3.11", "--role", ROLE),
        *("--handler", "app.handler", "--zip-file", f"fileb://{package}"),
    )
    aws("lambda", "wait", "function-active-v2", "--function-name", "orders")
    assert json.loads(aws("lambda", "publish-version", "--function-name", "orders").stdout)["Version"] == "1"
    aws("lambda", "wait", "published-version-active", "--function-name", "orders", "--qualifier", "1")
    aws("lambda", "create-alias", "--function-name", "orders", "--name", "live", "--function-version", "1")

    out = tmp_path / "out.json"
    facts = aws("lambda", "invoke", "--function-name", "orders:live", "--payload", '{"a": 1}', str(out)).stdout
    assert json.loads(out.read_text()) == {"a": 1}
    assert json.loads(facts)["ExecutedVersion"] == "1"

    package.write_bytes(zip_of({"app.py": "def handler(event, context):\n    return 2\n"}))
    aws("lambda", "update-function-code", "--function-name", "orders", "--zip-file", f"fileb://{package}")
    aws("lambda", "wait", "function-updated-v2", "--function-name", "orders")

    # `logs tail` itself is in version 2 of the CLI only, which is not on PyPI; it pages through the same operation.
    tail = aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/orders", "--interleaved").stdout
    assert "hello log" in tail
    assert "REPORT RequestId" in tail
    assert json.loads(aws("sts", "get-caller-identity").stdout)["Account"] == "000000000000"
    aws("lambda", "delete-alias", "--function-name", "orders", "--name", "live")
    aws("lambda", "delete-function", "--function-name", "orders")
    assert json.loads(aws("lambda", "list-functions").stdout)["Functions"] == []


def test_a_refusal_reads_like_aws(aws) -> None:
    done = aws("lambda", "get-function", "--function-name", "nobody", check=False)
    assert "ResourceNotFoundException" in done.stderr
    done = aws("lambda", "list-code-signing-configs", check=False)
    assert done.returncode != 0
    assert "ListCodeSigningConfigs" in done.stderr
