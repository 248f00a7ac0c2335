"""Node.js functions: handlers of every kind, errors, logs, the context, and which Node.js runs what."""

import asyncio
import json
import shutil

import pytest
import uvloop

from penstock.execution.interpreters import NoInterpreterError
from penstock.execution.model import OutcomeKind
from penstock.execution.served.nodes import Node, choose

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="this machine has no node")


@pytest.fixture(scope="module")
def node(make_bench, tmp_path_factory):
    """`run(files, *events, …)`: the outcomes of a function's events in order, its log lines, its environments."""
    loop = uvloop.new_event_loop()
    bench = None

    async def start():
        made = make_bench(tmp_path_factory.mktemp("node"))
        await made.room.start()
        return made

    bench = loop.run_until_complete(start())

    def run(files, *events, invoke=None, **settings):
        async def scenario():
            before = len(bench.logs.all())
            package = {"app.js": files} if isinstance(files, str) else files
            values = {"runtime": "nodejs20.x", "timeout_s": 10, "memory_mb": 256, **settings}
            version = bench.function(package, **values)
            outcomes = [await bench.invoke(version, json.dumps(e).encode(), **(invoke or {})) for e in events]
            alive = len(bench.room.status())
            bench.room.retire(version.scope, version.name)
            await bench.until(lambda: not bench.room.status())
            return outcomes, bench.logs.all()[before:], alive

        return loop.run_until_complete(scenario())

    yield run
    loop.run_until_complete(bench.room.stop(drain_s=0.1))
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


LATER = "setTimeout(() => { globalThis.late = 1; }, 150);"
HANDLERS = {
    "async": ("exports.handler = async (e) => ({ got: e });", {"got": 1}),
    "promise": ("exports.handler = (e) => new Promise((r) => setTimeout(r, 5, e + 1));", 2),
    "callback": ("exports.handler = (e, c, done) => { done(null, e + 2); };", 3),
    "late callback": ("exports.handler = (e, c, done) => { setTimeout(done, 5, null, 'late'); };", "late"),
    "callback without value": ("exports.handler = (e, c, done) => done();", None),
    "callback that waits for the loop": (
        (
            f"exports.handler = (e, c, done) => {{ {LATER}"
            " const r = { get late() { return globalThis.late ?? 0; } }; done(null, r); };"
        ),
        {"late": 1},
    ),
    "callback that does not wait": (
        (
            f"exports.handler = (e, c, done) => {{ {LATER} c.callbackWaitsForEmptyEventLoop = false;"
            " const r = { get late() { return globalThis.late ?? 0; } }; done(null, r); };"
        ),
        {"late": 0},
    ),
    "nothing ever": ("exports.handler = () => {};", None),
    "a promise that nothing keeps": ("exports.handler = () => new Promise(() => {});", None),
    "context.succeed": ("exports.handler = (e, c) => c.succeed('old');", "old"),
    "context.done": ("exports.handler = (e, c) => c.done(null, 'older');", "older"),
    "undefined": ("exports.handler = async () => undefined;", None),
}


@pytest.mark.parametrize("name", HANDLERS)
def test_handlers_answer(node, name):
    source, expected = HANDLERS[name]
    (first, second), _, alive = node(source, 1, 1)
    assert value(first) == expected
    assert second.kind is OutcomeKind.SUCCEEDED
    assert alive == 1


MODULES = {
    "ES module": (
        {"app.mjs": "export const handler = async () => import.meta.url.endsWith('app.mjs');"},
        "app.handler",
    ),
    "type module": (
        {"package.json": '{"type": "module"}', "app.js": "export async function handler() { return true; }"},
        "app.handler",
    ),
    "top-level await": (
        {"app.mjs": "const v = await Promise.resolve(true); export const handler = async () => v;"},
        "app.handler",
    ),
    "CommonJS by name": ({"app.cjs": "exports.handler = async () => true;"}, "app.handler"),
    "in a directory": ({"src/deep/app.js": "exports.handler = async () => true;"}, "src/deep/app.handler"),
    "nested export": ({"app.js": "exports.orders = { get: async () => true };"}, "app.orders.get"),
    "from node_modules": (
        {"app.js": "exports.handler = require('dep').f;", "node_modules/dep/index.js": "exports.f = async () => true;"},
        "app.handler",
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_of_every_kind(node, name):
    files, handler = MODULES[name]
    outcomes, _, _ = node(files, 1, handler=handler)
    assert value(outcomes[0]) is True


OWN_ERROR = """class NoOrder extends Error { constructor(m) { super(m); this.name = 'NoOrder'; } }
exports.handler = async () => { throw new NoOrder('gone'); };"""
ERRORS = {
    "thrown": ("exports.handler = async () => { throw new RangeError('far'); };", "RangeError", "far"),
    "thrown at once": ("exports.handler = () => { throw new Error('now'); };", "Error", "now"),
    "own name": (
        OWN_ERROR,
        "NoOrder",
        "gone",
    ),
    "by callback": ("exports.handler = (e, c, done) => done(new TypeError('told'));", "TypeError", "told"),
    "a string": ("exports.handler = (e, c, done) => done('just words');", "string", "just words"),
    "context.fail": ("exports.handler = (e, c) => c.fail(new Error('old way'));", "Error", "old way"),
    "circular": ("exports.handler = async () => { const a = {}; a.a = a; return a; };", "Runtime.MarshalError", None),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_keep_the_environment(node, name):
    source, kind, message = ERRORS[name]
    (first, second), lines, alive = node(source, 1, 1, invoke={"request_id": "RID"})
    assert first.kind is second.kind is OutcomeKind.HANDLER_ERROR
    document = json.loads(first.payload)
    assert set(document) == {"errorType", "errorMessage", "trace"}
    assert document["errorType"] == kind
    assert message in (None, document["errorMessage"])
    assert any(f'\tRID\tERROR\tInvoke Error \t{{"errorType":"{kind}"' in line for line in lines)
    assert alive == 1


FATAL = {
    "uncaught": ("setTimeout(() => { throw new Error('later'); }, 1)", "Error", "later"),
    "unhandled": ("Promise.reject(new Error('nobody'))", "Runtime.UnhandledPromiseRejection", "Error: nobody"),
    "exit": ("process.exit(5)", "Runtime.ExitError", "RequestId: RID Error: Runtime exited with error: exit status 5"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_nobody_catches_ends_the_environment(node, name):
    code, kind, message = FATAL[name]
    source = f"let n = 0; exports.handler = async (e) => {{ n++; if (e) {{ {code}; await new Promise(setImmediate); "
    source += "await new Promise((r) => setTimeout(r, 500)); } return n; };"
    (first, bad, after), _, _ = node(source, 0, 1, 0, invoke={"request_id": "RID"})
    assert value(first) == 1
    assert json.loads(bad.payload)["errorType"] == kind
    assert json.loads(bad.payload)["errorMessage"] == message
    assert value(after) == 1


INIT = {
    "no module": ({"app.js": ""}, "other.handler", "Runtime.ImportModuleError", "Cannot find module 'other'"),
    "no SDK": (
        {"app.mjs": "import '@aws-sdk/client-s3'; export const handler = 1;"},
        "app.handler",
        "Runtime.ImportModuleError",
        "does not bundle the AWS SDK",
    ),
    "no export": (
        {"app.js": "exports.other = 1;"},
        "app.handler",
        "Runtime.HandlerNotFound",
        "app.handler is undefined",
    ),
    "no function": ({"app.js": "exports.handler = 1;"}, "app.handler", "Runtime.HandlerNotFound", "not a function"),
    "no dot": ({"app.js": ""}, "handler", "Runtime.MalformedHandlerName", "'handler'"),
    "syntax": ({"app.js": "exports.handler = ("}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError"),
    "thrown": ({"app.js": "throw new Error('at init')"}, "app.handler", "Error", "at init"),
    "rejected": ({"app.mjs": "await Promise.reject(new Error('awaited'))"}, "app.handler", "Error", "awaited"),
}


@pytest.mark.parametrize("name", INIT)
def test_init_errors(node, name):
    files, handler, kind, message = INIT[name]
    (outcome,), lines, _ = node(files, 1, handler=handler)
    assert outcome.kind is OutcomeKind.INIT_FAILED
    document = json.loads(outcome.payload)
    assert document["errorType"] == kind
    assert message in document["errorMessage"]
    assert any("\tundefined\tERROR\tUncaught Exception \t" in line for line in lines)


def test_the_context_and_the_variables(node):
    source = """exports.handler = async (e, c) => ({
      ...c, left: c.getRemainingTimeInMillis() > 9000, trace: process.env._X_AMZN_TRACE_ID,
      exec: process.env.AWS_EXECUTION_ENV, cwd: process.cwd() === process.env.LAMBDA_TASK_ROOT,
      tmp: require('os').tmpdir() === process.env.TMPDIR, path: process.env.PYTHONPATH });"""
    (outcome,), lines, _ = node(
        source, 1,
        invoke={"request_id": "RID", "client_context": '{"custom": {"k": "é"}}', "trace_header": "Root=1-2-3"},
    )  # fmt: skip
    found = value(outcome)
    assert found.pop("logStreamName")
    assert found == {
        "functionName": "orders", "functionVersion": "$LATEST", "memoryLimitInMB": "256", "awsRequestId": "RID",
        "invokedFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        "logGroupName": "/aws/lambda/orders", "clientContext": {"custom": {"k": "é"}},
        "callbackWaitsForEmptyEventLoop": True, "left": True, "trace": "Root=1-2-3",
        "exec": "AWS_Lambda_nodejs20.x", "cwd": True, "tmp": True,
    }  # fmt: skip
    assert lines[0].startswith("INIT_START Runtime Version: nodejs20.x on Node.js ")


TALK = """console.log('init', 1);
exports.handler = async (e) => {
  console.debug('a %s', 'b'); console.warn({ deep: [1] }); console.error('two\\nlines'); process.stdout.write('raw\\n');
  console.info(new TypeError('seen'));
};"""


def test_console_in_text(node):
    _, lines, _ = node(TALK, 1, invoke={"request_id": "RID"})
    said = [line.split("\t", 1)[1] for line in lines if "\tRID\t" in line or "\tundefined\t" in line]
    assert said[:4] == [
        "undefined\tINFO\tinit 1",
        "RID\tDEBUG\ta b",
        "RID\tWARN\t{ deep: [ 1 ] }",
        "RID\tERROR\ttwo\nlines",
    ]
    assert said[4].startswith("RID\tINFO\tTypeError: seen\n    at ")
    assert "raw" in lines


def test_console_in_json(node):
    _, lines, _ = node(TALK, 1, invoke={"request_id": "RID"}, log_format="JSON", application_log_level="INFO")
    said = [json.loads(line) for line in lines if line.startswith("{") and "timestamp" in line]
    brief = [(one["level"], one.get("requestId"), one["message"]) for one in said]
    assert brief[:3] == [("INFO", None, "init 1"), ("WARN", "RID", {"deep": [1]}), ("ERROR", "RID", "two\nlines")]
    assert (said[3]["errorType"], said[3]["errorMessage"]) == ("TypeError", "seen")
    assert len(said) == 4


def test_node_24_has_no_callbacks(node):
    (outcome,), _, _ = node("exports.handler = (e, c, done) => done(null, 1);", 1, runtime="nodejs24.x")
    assert json.loads(outcome.payload)["errorType"] == "Runtime.CallbackHandlerDeprecated"
    (outcome,), _, _ = node("exports.handler = () => 'returned';", 1, runtime="nodejs24.x")
    assert value(outcome) == "returned"


@pytest.mark.parametrize(
    ("runtime", "majors", "chosen"),
    [
        ("nodejs20.x", (18, 20, 22), 20),
        ("nodejs20.x", (18, 22, 24), 22),
        ("nodejs22.x", (18, 20), 20),
        ("nodejs18.x", (16, 24), 24),
    ],
)
def test_the_exact_node_else_the_nearest_newer_else_the_nearest_older(runtime, majors, chosen):
    found = [Node(f"/n{major}", (major, 1, 0)) for major in majors]
    choice = choose(runtime, found, strict=False)
    assert choice.node.version[0] == chosen
    assert ("a substitute" in choice.words) is not choice.exact


def test_no_node_is_said_and_strict_takes_no_other():
    with pytest.raises(NoInterpreterError, match="install one"):
        choose("nodejs20.x", [Node("/n", (16, 0, 0))], strict=False)
    with pytest.raises(NoInterpreterError, match="--strict-runtimes"):
        choose("nodejs20.x", [Node("/n", (22, 0, 0))], strict=True)
    with pytest.raises(NoInterpreterError, match="it runs nodejs18"):
        choose("nodejs8.10", [], strict=False)
