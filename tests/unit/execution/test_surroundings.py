"""What function code finds around it: variables, context, libraries, interpreters."""

import json
import os
import re
import sys

import pytest

from penstock.execution.interpreters import SUPPORTED
from penstock.execution.model import OutcomeKind


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


def test_variables(bench, monkeypatch):
    monkeypatch.setenv("SERVER_SECRET", "must not leak")

    async def scenario(b):
        source = "import os\ndef handler(e, c):\n    return [dict(os.environ), os.getcwd()]\n"
        version = b.function(
            source, environment={"TABLE": "orders", "AWS_REGION": "mars", "TZ": "Europe/Rome"}, memory_mb=256
        )
        return value(await b.invoke(version, trace_header="Root=1-2-3")), str(b.code.root / version.code_sha256)

    (found, directory), root = bench(scenario)
    assert directory == root
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found.pop("AWS_LAMBDA_LOG_STREAM_NAME"))
    library = found.pop("LAMBDA_RUNTIME_DIR")
    temporary = found.pop("TMPDIR")
    assert found.pop("PATH").endswith(":/usr/local/bin:/usr/bin:/bin:/opt/bin")
    assert found == {
        "AWS_ACCESS_KEY_ID": "ASIATEST",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "Text",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "secret of arn:aws:iam::123456789012:role/orders",
        "AWS_SESSION_TOKEN": "token of orders",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "HOME": temporary,
        "LAMBDA_TASK_ROOT": root,
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{root}:{root}/lib:/opt/lib",
        "PYTHONPATH": library,
        "TABLE": "orders",
        "TZ": "Europe/Rome",
        "_HANDLER": "app.handler",
        "_X_AMZN_TRACE_ID": "Root=1-2-3",
    }


def test_the_trace_belongs_to_one_invoke(bench):
    async def scenario(b):
        version = b.function("import os\ndef handler(e, c):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n")
        return [value(await b.invoke(version, trace_header=header)) for header in ("Root=1", None)]

    assert bench(scenario) == ["Root=1", None]


CONTEXT = """
def handler(e, c):
    cc = c.client_context
    return {
        "id": c.aws_request_id, "group": c.log_group_name, "stream": c.log_stream_name, "name": c.function_name,
        "version": c.function_version, "arn": c.invoked_function_arn, "memory": c.memory_limit_in_mb,
        "identity": [c.identity.cognito_identity_id, c.identity.cognito_identity_pool_id], "tenant": c.tenant_id,
        "client": cc and [cc.custom, cc.env, cc.client and cc.client.app_title], "text": repr(c)[:15],
    }
"""


def test_context(bench):
    async def scenario(b):
        version = b.function(CONTEXT, version="5")
        plain = await b.invoke(version, request_id="RID", invoked_arn="arn:x")
        full = await b.invoke(
            version,
            client_context='{"custom": {"k": "v"}, "env": {"e": 1}, "client": {"app_title": "shop"}}',
            cognito_identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        )
        broken = await b.invoke(version, client_context="{")
        return value(plain), plain.log_stream, value(full), broken

    plain, stream, full, broken = bench(scenario)
    assert plain == {
        "id": "RID", "group": "/aws/lambda/orders", "stream": stream, "name": "orders", "version": "5", "arn": "arn:x",
        "memory": "128", "identity": [None, None], "tenant": None, "client": None, "text": "LambdaContext([",
    }  # fmt: skip
    assert (full["client"], full["identity"]) == ([{"k": "v"}, {"e": 1}, "shop"], ["i", "p"])
    assert json.loads(broken.payload)["errorType"] == "Runtime.LambdaContextUnmarshalError"


BOTO = """
def handler(e, c):
    import boto3
    client = boto3.client("lambda")
    return [client.meta.endpoint_url, client.meta.region_name, boto3.__file__]
"""


def test_boto3_is_there_and_points_at_penstock(bench):
    async def scenario(b):
        return value(await b.invoke(b.function(BOTO, timeout_s=20, memory_mb=512)))

    url, region, file = bench(scenario)
    assert (url, region) == ("http://127.0.0.1:4566", "eu-west-1")
    assert "runtime/python/boto3" in file


def test_a_package_with_its_own_boto3_gets_its_own(bench):
    files = {"app.py": "import boto3, six\ndef handler(e, c):\n    return [boto3.MINE, bool(six.PY3)]\n"}
    files["boto3/__init__.py"] = "MINE = 'own'\n"

    async def scenario(b):
        await b.room.prepare("python3.11")
        await b.until(lambda: b.room.zygotes()[0].preloaded or b.room.zygotes()[0].unloadable, 20)
        return value(await b.invoke(b.function(files)))

    assert bench(scenario) == ["own", True]


@pytest.mark.parametrize("runtime", SUPPORTED)
def test_every_runtime_runs_on_its_interpreter_or_says_which_substitute(bench, runtime):
    source = (
        "import sys\ndef handler(e, c):\n    print('on', sys.version_info[1])\n    return list(sys.version_info[:2])\n"
    )

    async def scenario(b):
        outcome = await b.invoke(b.function(source, runtime=runtime))
        rows = {row.runtime: row for row in await b.room.doctor()}
        return value(outcome), b.logs.all()[0], rows[runtime], rows

    version, first_line, row, rows = bench(scenario)
    exact = runtime == f"python{version[0]}.{version[1]}"
    assert set(rows) >= set(SUPPORTED)
    assert row.exact is exact
    assert first_line.startswith(f"INIT_START Runtime Version: {runtime} on CPython {version[0]}.{version[1]}.")
    assert ("a substitute" in first_line) is not exact
    assert row.interpreter in first_line


def test_strict_runtimes_refuse_a_substitute(bench):
    missing = "python3.14" if sys.version_info[1] != 14 else "python3.13"

    async def scenario(b):
        own = await b.invoke(b.function("def handler(e, c):\n    return 1\n", runtime=f"python3.{sys.version_info[1]}"))
        rows = {row.runtime: row for row in await b.room.doctor()}
        return own, await b.invoke(b.function("", runtime=missing)), rows[missing]

    own, refused, row = bench(scenario, strict_runtimes=True)
    assert own.kind is OutcomeKind.SUCCEEDED
    if row.interpreter is None:
        assert (refused.kind, refused.error_code) == (OutcomeKind.PLATFORM_ERROR, "InvalidRuntimeException")
        assert "--strict-runtimes" in refused.reason


def test_nothing_of_the_server_is_open_in_a_function(bench):
    leaks = [os.open(os.devnull, os.O_RDONLY) for _ in range(100)]
    for leak in leaks[::2]:
        os.set_inheritable(leak, True)

    async def scenario(b):
        source = (
            "import os\ndef handler(e, c):\n    base = '/proc/self/fd/'\n"
            "    return [os.readlink(base + str(n)) for n in range(3, 1024) if os.path.lexists(base + str(n))]\n"
        )
        await b.invoke(b.function(source))  # a first environment, whose descriptors must not show in the second
        return value(await b.invoke(b.function(source)))

    try:
        (channel,) = bench(scenario)
    finally:
        for leak in leaks:
            os.close(leak)
    assert channel.startswith("socket:")


def test_the_package_stays_as_it_was_uploaded(bench):
    async def scenario(b):
        version = b.function({"app.py": "import other\ndef handler(e, c):\n    return 1\n", "other.py": ""})
        await b.invoke(version)
        return sorted(path.name for path in (b.code.root / version.code_sha256).rglob("*"))

    assert bench(scenario) == ["app.py", "other.py"]
