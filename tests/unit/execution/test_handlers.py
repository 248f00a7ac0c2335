"""Handlers and what comes back, as AWS answers. One room serves the whole table."""

import asyncio
import json
import re

import pytest

from penstock.execution.model import OutcomeKind

OK, ERROR, CRASH, INIT = (
    OutcomeKind.SUCCEEDED, OutcomeKind.HANDLER_ERROR, OutcomeKind.CRASHED, OutcomeKind.INIT_FAILED,
)  # fmt: skip


def app(body, before=""):
    """A package whose handler has this body."""
    indented = "\n".join("    " + line for line in body.splitlines())
    return {"app.py": f"{before}\ndef handler(event, context):\n{indented}\n"}


def exit_error(words):
    return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: RID Error: Runtime exited {words}"}


def failure(kind, message, trace=None):
    found = {"errorMessage": message, "errorType": kind, "requestId": "RID"}
    return found if trace is None else {**found, "stackTrace": trace}


TABLE = {
    "echo": (app("return event"), b'{"a": [1, "x"]}', OK, {"a": [1, "x"]}),
    "no event": (app("return event"), b"", OK, {}),
    "nothing": (app("pass"), b"{}", OK, None),
    "bytes": (app("return b'[1]'"), b"{}", OK, [1]),
    "decimal": (app("import decimal\nreturn decimal.Decimal('1.5')"), b"{}", OK, 1.5),
    "remaining time": (app("return 2000 < context.get_remaining_time_in_millis() <= 3000"), b"{}", OK, True),
    "no penstock": (
        app("import importlib.util\nreturn importlib.util.find_spec('penstock') is None"), b"{}", OK, True,
    ),
    "no server packages": (
        app(
            "import importlib.util\n"
            "return [n for n in ('orjson', 'sqlalchemy', 'uvloop', 'pytest', 'yaml') if importlib.util.find_spec(n)]"
        ), b"{}", OK, [],
    ),
    "exit builtin": (app("exit(3)"), b"{}", CRASH, exit_error("with error: exit status 3")),
    "raise": (
        app("raise ValueError('boom')"), b"{}", ERROR,
        failure("ValueError", "boom", ['  File "ROOT/app.py", line 3, in handler\n    raise ValueError(\'boom\')\n']),
    ),
    "own exception": (
        {"app.py": "class Broken(Exception):\n    pass\ndef handler(event, context):\n    raise Broken({'a': 1})\n"},
        b"{}", ERROR, failure("Broken", "{'a': 1}"),
    ),
    "exception without text": (
        {"app.py": "class E(Exception):\n    def __str__(self):\n        raise KeyError(1)\n"
                   "def handler(event, context):\n    raise E()\n"},
        b"{}", ERROR, failure("E", "<E, and its text failed with KeyError>"),
    ),
    "wrong signature": (
        {"app.py": "def handler():\n    pass\n"}, b"{}", ERROR,
        failure("TypeError", "handler() takes 0 positional arguments but 2 were given", []),
    ),
    "not JSON": (
        app("return 1"), b"{", ERROR,
        failure("Runtime.UnmarshalError", "Unable to unmarshal input: Expecting property name enclosed in double "
                "quotes: line 1 column 2 (char 1)", []),
    ),
    "not serialisable": (
        app("return {1, 2}"), b"{}", ERROR,
        failure("Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable", []),
    ),
    "circular": (
        app("x = []\nx.append(x)\nreturn x"), b"{}", ERROR,
        failure("Runtime.MarshalError", "Unable to marshal response: Circular reference detected", []),
    ),
    "too large": (
        app("return 'x' * 6291555"), b"{}", ERROR,
        {"errorType": "Function.ResponseSizeTooLarge",
         "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes)."},
    ),
    "just not too large": (app("return 'x' * 6291554"), b"{}", OK, "x" * 6291554),
    "recursion": (app("return handler(event, context)"), b"{}", ERROR, {"errorType": "RecursionError"}),
    "sys.exit": (app("import sys\nsys.exit(2)"), b"{}", CRASH, exit_error("with error: exit status 2")),
    "sys.exit text": (app("import sys\nsys.exit('why')"), b"{}", CRASH, exit_error("with error: exit status 1")),
    "sys.exit 0": (app("import sys\nsys.exit()"), b"{}", CRASH, exit_error("without providing a reason")),
    "os._exit 0": (app("import os\nos._exit(0)"), b"{}", CRASH, exit_error("without providing a reason")),
    "os._exit 7": (app("import os\nos._exit(7)"), b"{}", CRASH, exit_error("with error: exit status 7")),
    "base exception": (
        app("raise BaseException('x')"), b"{}", CRASH, exit_error("with error: exit status 1"),
    ),
    "keyboard interrupt": (
        app("raise KeyboardInterrupt"), b"{}", CRASH, exit_error("with error: signal: interrupt"),
    ),
    "generator exit": (app("raise GeneratorExit"), b"{}", CRASH, exit_error("with error: exit status 1")),
    "killed": (
        app("import os\nos.kill(os.getpid(), 9)"), b"{}", CRASH, exit_error("with error: signal: killed"),
    ),
    "segfault": (
        app("import ctypes\nctypes.string_at(0)"), b"{}", CRASH,
        exit_error("with error: signal: segmentation fault"),
    ),
    "import error": (
        {"app.py": "import not_there\n"}, b"{}", INIT,
        {"errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": [],
         "errorMessage": "Unable to import module 'app': No module named 'not_there'"},
    ),
    "no module": (
        {"other.py": ""}, b"{}", INIT,
        {"errorType": "Runtime.ImportModuleError",
         "errorMessage": "Unable to import module 'app': No module named 'app'"},
    ),
    "no handler": (
        {"app.py": "x = 1\n"}, b"{}", INIT,
        {"errorType": "Runtime.HandlerNotFound", "errorMessage": "Handler 'handler' missing on module 'app'"},
    ),
    "syntax": (
        {"app.py": "def handler(:\n"}, b"{}", INIT,
        {"errorType": "Runtime.UserCodeSyntaxError",
         "errorMessage": "Syntax error in module 'app': invalid syntax (app.py, line 1)",
         "stackTrace": ['  File "ROOT/app.py" Line 1\n    def handler(:\n']},
    ),
    "init raises": (
        {"app.py": "x = 1\nraise LookupError('db')\n"}, b"{}", INIT,
        {"errorType": "LookupError", "errorMessage": "db",
         "stackTrace": ['  File "ROOT/app.py", line 2, in <module>\n    raise LookupError(\'db\')\n']},
    ),
    "init exits": (
        {"app.py": "import sys\nsys.exit(4)\n"}, b"{}", INIT, exit_error("with error: exit status 4"),
    ),
}  # fmt: skip

NAMES = {
    "slashes": ("pkg/sub/mod.run", {"pkg/sub/mod.py": "def run(e, c):\n    return 1\n"}, OK, 1),
    "dots": ("pkg.sub.mod.run", {"pkg/sub/mod.py": "def run(e, c):\n    return 2\n"}, OK, 2),
    "no dot": (
        "handler", {"app.py": ""}, INIT,
        {"errorType": "Runtime.MalformedHandlerName",
         "errorMessage": "Bad handler 'handler': not enough values to unpack (expected 2, got 1)"},
    ),
    "built in": (
        "sys.exit", {"app.py": ""}, INIT,
        {"errorType": "Runtime.BuiltInModuleConflict",
         "errorMessage": "Cannot use built-in module sys as a handler module"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, make_bench):
    """Every handler of both tables, run once in one room."""

    async def scenario():
        b = make_bench(tmp_path_factory.mktemp("handlers"))
        await b.room.start()
        try:
            results = {}
            for name, (files, payload, *_) in TABLE.items():
                version = b.function(files, timeout_s=3)
                results[name] = (version, await b.invoke(version, payload, request_id="RID"))
            for name, (handler, files, *_) in NAMES.items():
                version = b.function(files, handler=handler)
                results[name] = (version, await b.invoke(version, request_id="RID"))
            return b, results
        finally:
            await b.room.stop(drain_s=0.1)

    return asyncio.run(scenario())


CASES = {name: case[2:] for name, case in TABLE.items()} | {name: case[2:] for name, case in NAMES.items()}


@pytest.mark.parametrize("name", CASES)
def test_outcome(outcomes, name):
    kind, expected = CASES[name]
    b, results = outcomes
    version, outcome = results[name]
    text = outcome.payload.decode().replace(str(b.code.root / version.code_sha256), "ROOT")
    got = json.loads(text)
    assert outcome.kind is kind, text[:500]
    if kind is OK:
        assert got == expected
        assert not outcome.is_function_error
    else:
        assert {name: got.get(name) for name in expected} == expected
        assert outcome.is_function_error
    tail = outcome.log_tail.decode()
    assert re.search(r"^END RequestId: RID$", tail, re.MULTILINE)
    assert re.search(r"^REPORT RequestId: RID\tDuration: [\d.]+ ms\tBilled", tail, re.MULTILINE)
    assert 0 < outcome.max_memory_mb <= 128
