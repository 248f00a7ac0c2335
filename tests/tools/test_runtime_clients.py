"""AWS's own runtime clients, unmodified, as functions' bootstraps: awslambdaric (Python), aws-lambda-ric (Node.js)."""

import base64
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from running import ROLE, RunningServer, zip_of

ROOT = Path(__file__).parents[2]
PYTHON_CLIENT = Path(os.environ.get("PYTHON_CLIENT", ROOT / ".venv-ric"))
NODE_CLIENT = Path(os.environ.get("NODE_CLIENT", ROOT / ".node-ric"))

APP_PY = """
import json, logging, os
print("init code ran")
def handler(event, context):
    logging.getLogger().warning("about to answer %s", event)
    if event == "raise":
        raise KeyError("no such order")
    if event == "exit":
        os._exit(4)
    return {
        "event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(), "name": context.function_name,
        "custom": context.client_context.custom if context.client_context else None,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }
"""

APP_MJS = """
console.log("init code ran");
export const handler = async (event, context) => {
  console.warn("about to answer", event);
  if (event === "raise") throw new TypeError("no such order");
  if (event === "exit") process.exit(4);
  return {
    event, id: context.awsRequestId, arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis(),
    name: context.functionName, custom: context.clientContext?.custom ?? null, trace: process.env._X_AMZN_TRACE_ID,
  };
};
export const streaming = awslambda.streamifyResponse(async (event, stream) => {
  for (const word of ["one ", "two ", "three"]) { stream.write(word); await new Promise((r) => setTimeout(r, 20)); }
  if (event === "raise") throw new TypeError("broken off");
  stream.end();
});
"""


def python_package():
    """The function, its bootstrap, and the client as `pip install -t` would put it there."""
    site = next(PYTHON_CLIENT.glob("lib/python3*/site-packages"), None)
    if site is None:
        pytest.fail(f"no {PYTHON_CLIENT}: run `make {PYTHON_CLIENT.name}/.done`")
    bootstrap = f'#!/bin/sh\nexec {os.path.realpath(sys.executable)} -m awslambdaric "$_HANDLER"\n'
    wanted = ("awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client")
    return {"bootstrap": bootstrap, "app.py": APP_PY} | {
        str(path.relative_to(site)): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and path.relative_to(site).parts[0].startswith(wanted) and "__pycache__" not in path.parts
    }


def node_package():
    """The function, its bootstrap, and the client as npm installed it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("this machine has no node")
    modules = NODE_CLIENT / "node_modules"
    if not (modules / "aws-lambda-ric" / "rapid-client.node").exists():
        pytest.skip(f"no {modules}/aws-lambda-ric: its native part needs cmake, make, g++ and node's headers")
    wanted = [modules / "aws-lambda-ric", modules / "@aws"]
    files = {
        str(path.relative_to(NODE_CLIENT)): path.read_bytes()
        for top in wanted
        for path in top.rglob("*")
        if path.is_file() and "deps" not in path.parts
    }
    start = "$LAMBDA_TASK_ROOT/node_modules/aws-lambda-ric/index.mjs"
    bootstrap = f'#!/bin/sh\nexec {os.path.realpath(node)} "{start}" "$_HANDLER"\n'
    return {"bootstrap": bootstrap, "app.mjs": APP_MJS, **files}


PACKAGES = {"python": python_package, "node": node_package}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = RunningServer(tmp_path_factory.mktemp("clients") / "data").start()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture(scope="module", params=PACKAGES)
def function(request, server):
    """`invoke(event)` on a function with one of the clients."""
    package = zip_of(PACKAGES[request.param](), executable=("bootstrap",))
    client = server.client("lambda", read_timeout=60)

    def make(handler="app.handler", **settings):
        name = f"{request.param}-{len(client.list_functions()['Functions'])}"
        client.create_function(
            FunctionName=name, Runtime="provided.al2023", Role=ROLE, Handler=handler, Code={"ZipFile": package},
            Timeout=20, MemorySize=512, **settings,
        )  # fmt: skip
        client.get_waiter("function_active_v2").wait(FunctionName=name)

        def invoke(event, **options):
            reply = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **options)
            return reply, json.loads(reply["Payload"].read()), base64.b64decode(reply["LogResult"]).decode()

        return name, invoke

    return make


def test_events_errors_and_exits(function):
    name, invoke = function()
    context = base64.b64encode(b'{"custom": {"k": "v"}}').decode()
    reply, value, tail = invoke({"n": 1}, ClientContext=context)
    assert "FunctionError" not in reply
    assert 0 < value.pop("left") <= 20_000
    assert value.pop("trace").startswith("Root=1-")
    assert value == {
        "event": {"n": 1},
        "id": reply["ResponseMetadata"]["RequestId"],
        "arn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "name": name,
        "custom": {"k": "v"},
    }
    assert "about to answer" in tail
    assert "Init Duration: " in tail

    reply, value, tail = invoke("raise")
    assert reply["FunctionError"] == "Unhandled"
    assert value["errorType"] in ("KeyError", "TypeError")
    assert "no such order" in value["errorMessage"]
    assert "Init Duration: " not in tail

    reply, value, _ = invoke("exit")
    assert value["errorType"] == "Runtime.ExitError"
    assert value["errorMessage"].endswith("Runtime exited with error: exit status 4")


def test_a_handler_that_is_not_there_and_a_reply_that_is_too_large(function):
    _, invoke = function(handler="missing.handler")
    reply, value, _ = invoke(1)
    assert reply["FunctionError"] == "Unhandled"
    assert value["errorType"] == "Runtime.ImportModuleError"
    _, invoke = function()
    assert invoke("x" * 5_000_000)[1]["event"] == "x" * 5_000_000
    reply, value, _ = invoke("x" * 6_291_000 + "y" * 500)
    assert value["errorType"] == "Function.ResponseSizeTooLarge"
    assert invoke(1)[1]["event"] == 1
