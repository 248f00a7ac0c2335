"""Error documents that the platform writes (the bootstrap writes the handler's own). Rule: AWS's words, byte for byte.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html and the messages AWS itself returns.
"""

import json
import os
import signal

TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"
NO_REASON = "Runtime exited without providing a reason"

# The runtime's supervisor at AWS is written in Go, and these are Go's names.
SIGNAL_NAMES = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}


def exit_reason(wait_status: int | None) -> str:
    """How a process ended, from its wait status (None: unknown)."""
    if wait_status is None or wait_status == 0:
        return NO_REASON
    code = os.waitstatus_to_exitcode(wait_status)
    if code >= 0:
        return f"Runtime exited with error: exit status {code}"
    name = SIGNAL_NAMES.get(signal.Signals(-code), f"signal {-code}") if -code in _VALID else f"signal {-code}"
    return f"Runtime exited with error: signal: {name}"


def exited(request_id: str, reason: str, kind: str = EXITED) -> bytes:
    """The reply for a crash."""
    return _document(kind, f"RequestId: {request_id} Error: {reason}")


def timed_out(request_id: str, timeout_s: float) -> bytes:
    """The reply for a timeout."""
    return _document(TIMED_OUT, f"RequestId: {request_id} Error: {timeout_message(timeout_s)}")


def timeout_message(timeout_s: float) -> str:
    """`Task timed out after 3.00 seconds`."""
    return f"Task timed out after {timeout_s:.2f} seconds"


def _document(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


_VALID = frozenset(int(number) for number in signal.Signals)
