"""Extensions and telemetry: registration, invoke and shutdown events, what breaks, what is told to subscribers."""

import json
import os
import sys
import textwrap
import time

import pytest

from penstock.execution.model import OutcomeKind
from penstock.execution.runtime_api.subscription import SubscriptionError, read

TALK = """#!{python} -S
import http.client, json, os, sys
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(api)
    head = {{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, None if body is None else json.dumps(body), head)
    reply = connection.getresponse()
    text = reply.read()
    return reply.status, dict((k.lower(), v) for k, v in reply.getheaders()), json.loads(text or b"null")
def say(*words):
    print(*words, flush=True)
"""
BOOTSTRAP = """
{before}
while True:
    _, head, event = call("GET", "/2018-06-01/runtime/invocation/next")
    ident = head["lambda-runtime-aws-request-id"]
    say("function got", event)
    if event == "exit":
        os._exit(3)
    call("POST", f"/2018-06-01/runtime/invocation/{{ident}}/response", event)
"""
EXTENSION = """
name = os.path.basename(sys.argv[0])
status, head, told = call("POST", "/2020-01-01/extension/register", {{"events": {events}}}, Lambda_Extension_Name=name)
say(name, "registered", status, told.get("functionName"), told.get("handler"))
ident = head.get("lambda-extension-identifier", "")
{before}
while True:
    status, head, event = call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=ident)
    say(name, "got", event["eventType"], event.get("requestId", event.get("shutdownReason")), event["deadlineMs"] > 0)
    {on_event}
    if event["eventType"] == "SHUTDOWN":
        say(name, "leaves")
        break
"""
BOTH = '["INVOKE", "SHUTDOWN"]'


def script(template, **parts):
    values = {"python": os.path.realpath(sys.executable), "before": "", "on_event": "pass", "events": BOTH, **parts}
    return (TALK + template).format(**values)


def function(b, extensions, before="", **settings):
    """A version with a Python `bootstrap` and a layer of extensions."""
    layers = (b.layer({f"extensions/{name}": text for name, text in extensions.items()}),) if extensions else ()
    version = b.function(
        {"bootstrap": script(BOOTSTRAP, before=before)}, runtime="provided.al2023", handler="the.handler",
        layers=layers, **settings,
    )  # fmt: skip
    (b.code.root / version.code_sha256 / "bootstrap").chmod(0o755)
    return version


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


async def retire(b, version):
    b.room.retire(version.scope, version.name)
    await b.until(lambda: not b.room.status(), 5)


def test_an_external_extension_follows_the_life_of_its_environment(bench):
    async def scenario(b):
        version = function(b, {"watcher": script(EXTENSION)})
        assert [value(await b.invoke(version, f"{n}".encode(), request_id=f"R{n}")) for n in (1, 2)] == [1, 2]
        assert len(b.room.status()) == 1
        await retire(b, version)
        return [line for line in b.logs.all() if line.startswith("watcher")]

    assert bench(scenario) == [
        "watcher registered 200 orders the.handler",
        "watcher got INVOKE R1 True",
        "watcher got INVOKE R2 True",
        "watcher got SHUTDOWN spindown True",
        "watcher leaves",
    ]


def test_the_reply_does_not_wait_for_an_extension_and_the_next_event_does(bench):
    async def scenario(b):
        slow = script(EXTENSION, on_event="import time; time.sleep(0.6 if event['eventType'] == 'INVOKE' else 0)")
        version = function(b, {"slow": slow}, timeout_s=5)
        value(await b.invoke(version, b"0"))
        await b.until(lambda: [one.state for one in b.room.status()] == ["idle"])
        outcome = await b.invoke(version, b"1")
        states = [one.state for one in b.room.status()]
        await b.until(lambda: [one.state for one in b.room.status()] == ["idle"])
        return outcome, states

    outcome, states = bench(scenario)
    assert outcome.duration_ms < 500
    assert states == ["settling"]


def test_an_internal_extension_gets_invokes_only(bench):
    inner = textwrap.dedent("""
        import threading
        place = "/2020-01-01/extension"
        s, h, t = call("POST", place + "/register", {{"events": ["INVOKE"]}}, Lambda_Extension_Name="inner")
        refused = call("POST", place + "/register", {{"events": ["SHUTDOWN"]}}, Lambda_Extension_Name="x")
        ident = h["lambda-extension-identifier"]
        say("refused", refused[0], refused[2]["errorType"])
        def listen():
            while True:
                e = call("GET", place + "/event/next", Lambda_Extension_Identifier=ident)
                say("inner got", e[2]["eventType"])
        threading.Thread(target=listen, daemon=True).start()
    """)

    async def scenario(b):
        version = function(b, {}, before=inner.format())
        value(await b.invoke(version, b"1"))
        await b.until(lambda: "inner got INVOKE" in b.logs.all())
        await retire(b, version)
        return b.logs.all()

    assert "refused 403 Extension.InvalidEventType" in bench(scenario)


BREAK = {
    "crash at init": ({"before": "sys.exit(7)"}, b"1", "Extension.Crash"),
    "no program": (None, b"1", "Extension.LaunchError"),
    "init error": (
        {
            "before": 'call("POST", "/2020-01-01/extension/init/error", {{}}, Lambda_Extension_Identifier=ident,'
            ' Lambda_Extension_Function_Error_Type="Own.Why")'
        },
        b"1",
        "Extension.InitError",
    ),
    "crash in an invoke": ({"on_event": "os._exit(1)"}, b"1", None),
    "exit error": (
        {
            "on_event": 'call("POST", "/2020-01-01/extension/exit/error", {{}}, Lambda_Extension_Identifier=ident,'
            ' Lambda_Extension_Function_Error_Type="Own.Why"); import time; time.sleep(9)'
        },
        b"1",
        None,
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_an_extension_that_fails_takes_the_environment_with_it(bench, name):
    parts, event, kind = BREAK[name]
    text = "#!/no/such/program\n" if parts is None else script(
        EXTENSION, **{key: part.replace("{{}}", "{}") for key, part in parts.items()}
    )  # fmt: skip

    async def scenario(b):
        version = function(b, {"weak": text})
        outcome = await b.invoke(version, event)
        await b.until(lambda: not b.room.status(), 5)
        return outcome

    outcome = bench(scenario)
    if kind:
        assert outcome.kind is OutcomeKind.INIT_FAILED
        assert json.loads(outcome.payload)["errorType"] == kind
    else:  # the reply may have been first
        assert outcome.kind in (OutcomeKind.SUCCEEDED, OutcomeKind.CRASHED)


def test_a_runtime_that_crashes_is_told_to_extensions_as_a_failure(bench):
    async def scenario(b):
        version = function(b, {"watcher": script(EXTENSION)})
        outcome = await b.invoke(version, b'"exit"')
        await b.until(lambda: not b.room.status(), 5)
        return outcome, b.logs.all()

    outcome, lines = bench(scenario)
    assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
    assert "watcher got SHUTDOWN failure True" in lines


def test_an_extension_that_will_not_leave_is_ended(bench):
    async def scenario(b):
        stubborn = script(EXTENSION, on_event="import time; time.sleep(60 if event['eventType'] == 'SHUTDOWN' else 0)")
        version = function(b, {"stubborn": stubborn})
        value(await b.invoke(version, b"1"))
        began = time.monotonic()
        await retire(b, version)
        return time.monotonic() - began

    assert 1.8 < bench(scenario) < 3.5


SUBSCRIBE = """
import http.server, threading
seen = []
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        seen.extend(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
threading.Thread(target=server.serve_forever, daemon=True).start()
wanted = {{"schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"],
          "buffering": {{"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25}},
          "destination": {{"protocol": "HTTP", "URI": "http://sandbox.localdomain:%d/x" % server.server_port}}}}
say("subscribed", call("PUT", "/2022-07-01/telemetry", wanted, Lambda_Extension_Identifier=ident)[0])
bad = call("PUT", "/2022-07-01/telemetry", {{**wanted, "types": ["all"]}}, Lambda_Extension_Identifier=ident)
say("refused", bad[0], bad[2]["errorType"])
"""
TELL = """
    if event["eventType"] == "SHUTDOWN":
        import time; time.sleep(0.2)
        kinds = [one["type"] for one in seen]
        say("TELEMETRY " + json.dumps(kinds))
        say("RECORDS " + json.dumps([one["record"] for one in seen if one["type"] == "function"]))
        say("REPORTS " + json.dumps([one["record"] for one in seen if one["type"] == "platform.report"]))
"""


def test_telemetry_reaches_its_subscriber(bench):
    async def scenario(b):
        text = script(EXTENSION, before=SUBSCRIBE.replace("{{", "{").replace("}}", "}"), on_event=TELL.strip())
        version = function(b, {"sink": text})
        value(await b.invoke(version, b"1", request_id="R1"))
        value(await b.invoke(version, b"2", request_id="R2"))
        await retire(b, version)
        return b.logs.all()

    lines = bench(scenario)
    assert "subscribed 200" in lines
    assert "refused 400 ValidationError" in lines
    told = {line.split(" ", 1)[0]: json.loads(line.split(" ", 1)[1]) for line in lines if line.split(" ")[0].isupper()
            and line.split(" ")[0] in ("TELEMETRY", "RECORDS", "REPORTS")}  # fmt: skip
    kinds = told["TELEMETRY"]
    assert kinds[0] == "platform.initStart"
    for kind in ("platform.telemetrySubscription", "platform.extension", "platform.initReport", "extension"):
        assert kind in kinds
    assert kinds.count("platform.start") == kinds.count("platform.runtimeDone") == 2
    assert told["RECORDS"] == ["function got 1", "function got 2"]
    first, second = told["REPORTS"]
    assert (first["requestId"], first["status"], second["requestId"]) == ("R1", "success", "R2")
    assert "initDurationMs" in first["metrics"]
    assert "initDurationMs" not in second["metrics"]


GOOD = {
    "schemaVersion": "2022-12-13",
    "types": ["platform"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080"},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schemaVersion": "1999-01-01"}, "schemaVersion"),
        ({"types": []}, "types"),
        ({"types": "platform"}, "types"),
        ({"destination": {"protocol": "TCP", "port": 9}}, "protocol"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, "URI"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:99999"}}, "URI"),
        ({"buffering": {"maxItems": 1}}, "maxItems"),
        ({"buffering": {"timeoutMs": True}}, "timeoutMs"),
        ({"buffering": []}, None),
    ],
)
def test_a_subscription_is_checked(change, message):
    body = json.dumps({**GOOD, **change}).encode()
    if message is None:
        assert read(body).max_items == 10_000
        return
    with pytest.raises(SubscriptionError, match=message):
        read(body)


def test_a_subscription_that_is_no_json_is_refused():
    with pytest.raises(SubscriptionError, match="JSON"):
        read(b"{")


def test_a_python_function_with_an_extension_is_the_same_function(bench):
    source = (
        "import os, sys\nprint('init')\ndef handler(event, context):\n"
        "    if event == 'raise':\n        raise KeyError('no order')\n    if event == 'exit':\n        os._exit(4)\n"
        "    return [event, context.aws_request_id, context.client_context.custom, os.environ['_X_AMZN_TRACE_ID'],"
        " 0 < context.get_remaining_time_in_millis() <= 5000, 'penstock' in sys.modules,"
        " __import__('boto3').__name__]\n"
    )

    async def scenario(b):
        layers = (b.layer({"extensions/watcher": script(EXTENSION)}),)
        version = b.function(source, layers=layers, timeout_s=5)
        asked = {"request_id": "RID", "client_context": '{"custom": {"k": "\u00e9"}}', "trace_header": "Root=1-2-3"}
        outcomes = [await b.invoke(version, event, **asked) for event in (b"1", b'"raise"', b'"exit"')]
        bad = await b.invoke(b.function("import nothing_there", layers=layers, timeout_s=5))
        plain = await b.invoke(b.function(source, timeout_s=5), b'"raise"', **asked)
        return outcomes, bad, plain, b.logs.all()

    (first, raised, exited), bad, plain, lines = bench(scenario)
    assert value(first) == [1, "RID", {"k": "\u00e9"}, "Root=1-2-3", True, False, "boto3"]
    told, expected = json.loads(raised.payload), json.loads(plain.payload)
    assert (told["errorType"], told["errorMessage"]) == (expected["errorType"], expected["errorMessage"])
    assert len(told["stackTrace"]) == len(expected["stackTrace"]) == 1
    assert json.loads(exited.payload)["errorMessage"].endswith("exit status 4")
    assert json.loads(bad.payload)["errorType"] == "Runtime.ImportModuleError"
    assert "watcher got INVOKE RID True" in lines
    assert lines.index("init") > lines.index("watcher registered 200 orders app.handler")
