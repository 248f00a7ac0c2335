"""How a process ended, in AWS's words."""

import json
import os
import signal

import pytest

from penstock.execution import failures


def status(code=0, number=0):
    return code << 8 | number


@pytest.mark.parametrize(
    ("wait_status", "words"),
    [
        (None, "Runtime exited without providing a reason"),
        (status(0), "Runtime exited without providing a reason"),
        (status(1), "Runtime exited with error: exit status 1"),
        (status(255), "Runtime exited with error: exit status 255"),
        (status(0, signal.SIGKILL), "Runtime exited with error: signal: killed"),
        (status(0, signal.SIGSEGV), "Runtime exited with error: signal: segmentation fault"),
        (status(0, signal.SIGRTMIN + 1), f"Runtime exited with error: signal: signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_exit_reason(wait_status, words):
    assert wait_status is None or os.waitstatus_to_exitcode(wait_status) is not None
    assert failures.exit_reason(wait_status) == words


def test_documents():
    assert json.loads(failures.timed_out("r", 3)) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r Error: Task timed out after 3.00 seconds",
    }
    assert json.loads(failures.exited("r", "Runtime exited with error: signal: killed")) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: r Error: Runtime exited with error: signal: killed",
    }
