"""One environment's life: become a process of its own, run the init code, answer invokes. Rule: never returns.

Whatever the function does (raise anything, close descriptors, fork, exit), it ends in a reply or in this process's
exit; nothing gets back into the zygote's loop.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Protocol

from penstock.execution.bootstrap import failures, frames, handler, keeper, logs, process
from penstock.execution.bootstrap.context import LambdaContext
from penstock.execution.bootstrap.marshal import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILY = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What the zygote may have preloaded; a package's own copy of any of them wins."""


class Channel(Protocol):
    """Where invokes come from and answers go: frames of the server, or the Runtime API (`served.py`)."""

    def receive(self) -> tuple[int, int, bytes, bytes]:
        """The next frame: kind, sequence, meta, body. Raises `EOFError` when the server is gone."""

    def send(self, kind: int, sequence: int, meta: bytes = b"", body: bytes = b"") -> None:
        """Answer."""


def live(channel_descriptor: int, log_descriptor: int, zygote_pid: int, kernel: process.Kernel) -> None:
    """Everything from the fork to the exit of an environment."""

    def begin() -> int:
        os.setsid()
        kernel.die_with_parent(signal.SIGKILL)
        kernel.adopt_orphans()
        if os.getppid() != zygote_pid:  # the zygote died before the line above took effect
            os._exit(1)
        process.keep_only({channel_descriptor, log_descriptor})
        process.redirect_output(log_descriptor)
        process.reset_signals()
        process.limit()
        os.umask(0o022)
        return _serve(frames.BlockingChannel(channel_descriptor), kernel)

    run(begin)


def run(life: Callable[[], int]) -> None:
    """Live, and leave with the exit status that comes of it."""
    status = 1
    try:
        status = life()
    except EOFError:
        status = 0
    except SystemExit as leaving:
        status = _exit_status(leaving)
    except KeyboardInterrupt:
        status = -signal.SIGINT
    except BaseException:  # noqa: BLE001 - the traceback goes to the function's log, the status to the server
        traceback.print_exc()
    finally:
        _leave(status)


def _leave(status: int) -> None:
    """Run exit handlers and go, without waiting for threads that the function left behind."""
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - the interpreter's own exit would join threads for ever
        logs.flush()
    except BaseException:  # noqa: BLE001,S110 - nothing may stop the exit
        pass
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 0xFF)


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _serve(channel: frames.BlockingChannel, kernel: process.Kernel) -> int:
    kind, _, meta, _ = channel.receive()
    if kind != frames.INIT:
        raise frames.FrameError("expected the plan")
    plan = json.loads(meta)
    if plan.get("keep"):
        return keeper.keep(channel, plan, kernel)
    return serve(channel, plan)


def serve(channel: Channel, plan: dict[str, Any]) -> int:
    """Run the init code, then invokes; the exit status."""
    logs.open_streams()
    _settle(plan)
    records = logs.install(plan["variables"])
    encoder = Encoder(plan["variables"].get("AWS_EXECUTION_ENV", ""))
    try:
        function = handler.load(plan["handler"])
    except Exception as error:  # noqa: BLE001 - becomes the init error
        found = failures.document(error, "")
        logs.write_error(found, records)
        logs.flush()
        channel.send(frames.INIT_ERROR, 0, _meta(found), encoder.encode(found))
        return 1
    logs.flush()
    channel.send(frames.READY, 0, _meta(None))
    _invokes(channel, function, records, encoder)
    return 0


def _settle(plan: dict[str, Any]) -> None:
    """Variables, import path and working directory of this function."""
    os.environ.clear()
    os.environ.update(plan["variables"])
    time.tzset()
    os.chdir(plan["task_root"])
    sys.argv = [plan["handler"]]
    first = [plan["task_root"], *plan["layer_paths"]]
    first += [entry for entry in plan["variables"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = first + [entry for entry in sys.path if entry not in first]
    _forget_preloaded([plan["task_root"], *plan["layer_paths"]])
    sys.dont_write_bytecode = True  # the package is shared with other environments and stays as it was uploaded
    gc.enable()


def _forget_preloaded(directories: list[str]) -> None:
    """A package that brings its own boto3 (or a part of it) gets it, as on AWS, not the preloaded one."""
    own = {name.partition(".")[0] for directory in directories for name in _listing(directory)}
    if own.isdisjoint(FAMILY):
        return
    for name in [name for name in sys.modules if name.partition(".")[0] in FAMILY]:
        del sys.modules[name]


def _listing(directory: str) -> list[str]:
    try:
        return os.listdir(directory)  # noqa: PTH208
    except OSError:
        return []


def _invokes(channel: Channel, function: handler.Handler, records: logs.Records, encoder: Encoder) -> None:
    mine = os.getpid()
    while True:
        kind, sequence, meta, body = channel.receive()
        if kind != frames.INVOKE:
            raise frames.FrameError("expected an invoke")
        reply, document, payload = _invoke(function, json.loads(meta), body, records, encoder)
        if os.getpid() != mine:  # the handler forked and this is the copy: only the original may answer
            os._exit(0)
        logs.flush()
        channel.send(reply, sequence, _meta(document), payload)


def _invoke(
    function: handler.Handler, invoke: dict[str, Any], body: bytes, records: logs.Records, encoder: Encoder
) -> tuple[int, dict[str, Any] | None, bytes]:
    """The kind of reply, its error document if any, and its payload."""
    deadline = time.monotonic() + invoke["remaining_ms"] / 1000
    records.request_id = invoke["request_id"]
    _set_trace(invoke.get("trace"))
    try:
        result = function(handler.read_event(body), LambdaContext(invoke, deadline))
        payload = _marshal(result, encoder)
    except Exception as error:  # noqa: BLE001 - the function's error is data here
        found = failures.document(error, invoke["request_id"])
    else:
        if len(payload) <= frames.MAX_RESPONSE:
            return frames.RESULT, None, payload
        found = failures.too_large()
    logs.write_error(found, records)
    return frames.ERROR, found, _fit(encoder, found)


def _marshal(result: Any, encoder: Encoder) -> bytes:
    if isinstance(result, bytes):
        return result
    try:
        return encoder.encode(result)
    except Exception as error:
        raise failures.RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _fit(encoder: Encoder, found: dict[str, Any]) -> bytes:
    """The error document, without its trace and the end of its message when it would break the limit itself."""
    payload = encoder.encode(found)
    if len(payload) <= frames.MAX_RESPONSE:
        return payload
    return encoder.encode({**found, "errorMessage": found["errorMessage"][:100_000], "stackTrace": []})


def _set_trace(trace: str | None) -> None:
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def _meta(found: dict[str, Any] | None) -> bytes:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if found is None:
        return b'{"rss_kb":%d}' % peak
    return json.dumps({"rss_kb": peak, "error_type": found["errorType"]}).encode()
