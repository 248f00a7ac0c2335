"""Any executable `bootstrap` that speaks the Runtime API: in shell, C and Rust, and what happens when it does not."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from penstock.execution.model import OutcomeKind

HERE = Path(__file__).parent
SHELL = """#!/bin/bash
set -u
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
echo "init in shell"
n=0
while true; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "$api/invocation/next")
  id=$(grep -i '^lambda-runtime-aws-request-id:' "$head" | tr -d '\\r' | cut -d' ' -f2)
  n=$((n + 1))
  echo "event $event"
  case "$event" in
    *fail*) curl -sS -X POST -H 'Lambda-Runtime-Function-Error-Type: Shell.Failed' \\
              -d '{"errorMessage":"no","errorType":"Shell.Failed"}' "$api/invocation/$id/error" > /dev/null ;;
    *crash*) exit 3 ;;
    *hang*) sleep 60 ;;
    *) curl -sS -X POST -d "{\\"n\\":$n,\\"handler\\":\\"$_HANDLER\\",\\"event\\":$event}" \\
         "$api/invocation/$id/response" > /dev/null ;;
  esac
done
"""


def bootstrap(b, content, mode=0o755, **settings):
    """A version whose package is an executable `bootstrap`."""
    version = b.function({"README": ""}, runtime="provided.al2023", handler="any.thing", **settings)
    path = b.code.root / version.code_sha256 / "bootstrap"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return version


def ended(pid):
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def shell():
    if not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    return SHELL


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


def test_a_shell_script_serves_events_and_keeps_its_environment(bench, shell):
    async def scenario(b):
        version = bootstrap(b, shell)
        outcomes = [await b.invoke(version, b'{"a": 1}'), await b.invoke(version, b"2")]
        return outcomes, b.logs.all(), b.room.status()

    (first, second), lines, status = bench(scenario)
    assert value(first) == {"n": 1, "handler": "any.thing", "event": {"a": 1}}
    assert value(second) == {"n": 2, "handler": "any.thing", "event": 2}
    assert first.init_ms is not None
    assert second.init_ms is None
    assert second.max_memory_mb > 0
    assert [line.split(" ")[0] for line in lines] == (
        ["INIT_START", "init", "START", "event", "END", "REPORT", "START", "event", "END", "REPORT"]
    )
    assert lines[0].startswith("INIT_START Runtime Version: provided.al2023 on ")
    assert len(status) == 1


def test_its_own_errors_crashes_and_timeouts(bench, shell):
    async def scenario(b):
        version = bootstrap(b, shell, timeout_s=1)
        return [await b.invoke(version, word, request_id="RID") for word in (b'"fail"', b'"crash"', b'"hang"', b"1")]

    failed, crashed, hung, after = bench(scenario)
    assert (failed.kind, failed.reason) == (OutcomeKind.HANDLER_ERROR, "Shell.Failed")
    assert json.loads(failed.payload) == {"errorMessage": "no", "errorType": "Shell.Failed"}
    assert crashed.kind is OutcomeKind.CRASHED
    assert json.loads(crashed.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: RID Error: Runtime exited with error: exit status 3",
    }
    assert hung.kind is OutcomeKind.TIMED_OUT
    assert value(after)["n"] == 1


@pytest.mark.parametrize(
    ("content", "mode", "error"),
    [
        (None, 0, "Couldn't find valid bootstrap(s): [{root}/bootstrap]"),
        (SHELL, 0o644, "fork/exec {root}/bootstrap: permission denied"),
        (b"\x00not a program", 0o755, "fork/exec {root}/bootstrap: exec format error"),
        ("#!/no/such/shell\n", 0o755, "fork/exec {root}/bootstrap: no such file or directory"),
    ],
    ids=["missing", "not executable", "not a program", "no such interpreter"],
)
def test_an_invalid_entry_point(bench, content, mode, error):
    async def scenario(b):
        if content is None:
            version = b.function({"README": ""}, runtime="provided.al2", handler="x")
        else:
            version = bootstrap(b, content, mode)
        return await b.invoke(version, request_id="RID"), b.code.root / version.code_sha256

    outcome, root = bench(scenario)
    assert outcome.kind is OutcomeKind.INIT_FAILED
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: RID Error: {error.format(root=root)}",
    }


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 0", "Runtime exited without providing a reason"),
        ("exit 7", "Runtime exited with error: exit status 7"),
        ("kill -SEGV $$", "Runtime exited with error: signal: segmentation fault"),
    ],
    ids=["quietly", "status", "signal"],
)
def test_a_bootstrap_that_ends_before_it_asks(bench, script, message):
    async def scenario(b):
        return await b.invoke(bootstrap(b, f"#!/bin/bash\n{script}\n"), request_id="RID"), b.logs.text()

    outcome, text = bench(scenario)
    assert outcome.kind is OutcomeKind.INIT_FAILED
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: RID Error: {message}",
    }
    assert text.count("INIT_REPORT") == 2


def test_an_init_error_it_reports_itself(bench, shell):
    del shell
    script = (
        '#!/bin/bash\ncurl -sS -X POST -H "Lambda-Runtime-Function-Error-Type: Own.Init" '
        '-d \'{"errorMessage":"bad","errorType":"Own.Init"}\' '
        '"http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error"\nexit 1\n'
    )

    async def scenario(b):
        return await b.invoke(bootstrap(b, script))

    outcome = bench(scenario)
    assert outcome.kind is OutcomeKind.INIT_FAILED
    assert json.loads(outcome.payload) == {"errorMessage": "bad", "errorType": "Own.Init"}


def test_what_it_leaves_behind_is_ended_with_it(bench, shell):
    async def scenario(b):
        version = bootstrap(b, shell.replace("n=0", "sleep 600 & echo bg $!; setsid sleep 600 & echo bg $!; n=0"))
        value(await b.invoke(version))
        pids = [int(line.split()[1]) for line in b.logs.all() if line.startswith("bg ")]
        assert not any(map(ended, pids))
        b.room.retire(version.scope, version.name)
        await b.until(lambda: all(map(ended, pids)))
        await b.until(lambda: b.room.status() == [])
        return pids

    assert len(bench(scenario)) == 2


COMPILED = {
    "C": ("gcc", "bootstrap.c", ["gcc", "-O1", "-o", "{out}", "{source}"]),
    "Rust": ("rustc", "bootstrap.rs", ["rustc", "-C", "opt-level=1", "-o", "{out}", "{source}"]),
}


@pytest.mark.parametrize("language", COMPILED)
def test_a_compiled_bootstrap(bench, tmp_path, language):
    tool, source, command = COMPILED[language]
    if not shutil.which(tool):
        pytest.skip(f"this machine has no {tool}")
    out = tmp_path / "compiled"
    names = {"out": out, "source": HERE / "bootstraps" / source}
    subprocess.run([part.format(**names) for part in command], check=True, cwd=tmp_path)

    async def scenario(b):
        version = bootstrap(b, out.read_bytes())
        return [value(await b.invoke(version, event)) for event in (b'{"x": [1, 2]}', b'"caf\xc3\xa9"')]

    first, second = bench(scenario)
    assert first == {"language": language, "event": {"x": [1, 2]}}
    assert second == {"language": language, "event": "café"}
