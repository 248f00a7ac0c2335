"""What running a function takes and gives. Rule: an outcome is a value; nothing the handler does raises here.

Error bodies are AWS's own: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from penstock.core.context import Scope
from penstock.execution.journal import tail_text
from penstock.execution.stream import ResponseStream
from penstock.registry.model import FunctionVersion


class Invocation(NamedTuple):
    """One event for one version."""

    request_id: str
    payload: bytes
    invoked_arn: str
    """The ARN the caller used, alias or version qualifier included: `context.invoked_function_arn`."""
    alias: str | None = None
    """The alias the caller went through: it is the `Resource` dimension (`orders:live`)."""
    client_context: str | None = None
    """JSON text, already decoded from the header's base64."""
    cognito_identity: str | None = None
    trace_header: str | None = None
    reserved_concurrency: int | None = None
    stream: ResponseStream | None = None
    """Where a streamed response goes as it comes; without one it is gathered into the outcome's payload."""


class OutcomeKind(StrEnum):
    """How an invoke ended. Everything but SUCCEEDED and THROTTLED carries `X-Amz-Function-Error: Unhandled`."""

    SUCCEEDED = "succeeded"
    HANDLER_ERROR = "handler-error"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    INIT_FAILED = "init-failed"
    THROTTLED = "throttled"
    PLATFORM_ERROR = "platform-error"
    """Our own failure (code package unreadable, no interpreter): a 5xx/4xx for the caller, never a function error."""


class Outcome(NamedTuple):
    """The end of one invoke."""

    kind: OutcomeKind
    payload: bytes
    """The handler's result, or AWS's error JSON (`errorMessage`, `errorType`, `requestId`, `stackTrace`)."""
    version: str
    """The executed version."""
    reason: str | None = None
    """For THROTTLED: AWS's `Reason` (`ReservedFunctionConcurrentInvocationLimitExceeded`, …). Else why, in words."""
    error_code: str | None = None
    """For PLATFORM_ERROR: AWS's error code for the caller (`InvalidRuntimeException`, `InvalidZipFileException`,
    `ServiceException`); `reason` is the message."""
    error_type: str | None = None
    """Of a function error, as log and stream tell it: `ValueError`, `Sandbox.Timedout`, `Runtime.ExitError`."""
    duration_ms: float = 0.0
    billed_ms: int = 0
    init_ms: float | None = None
    max_memory_mb: int = 0
    log_lines: tuple[str, ...] = ()
    """The last lines of the invoke's log."""
    log_stream: str = ""

    @property
    def log_tail(self) -> bytes:
        """The last 4 KB of the invoke's log, for `LogType=Tail`; put together only when asked for."""
        return tail_text(self.log_lines)

    @property
    def is_function_error(self) -> bool:
        """Whether AWS would answer with `X-Amz-Function-Error`."""
        return self.kind not in (OutcomeKind.SUCCEEDED, OutcomeKind.THROTTLED, OutcomeKind.PLATFORM_ERROR)


class Executor(Protocol):
    """Runs versions. The only thing that rooms above know of execution."""

    async def invoke(self, version: FunctionVersion, invocation: Invocation) -> Outcome:
        """Admit, run and account for one invoke: metrics, log lines, START/END/REPORT. Never raises for the handler.

        A caller that is cancelled leaves the function running to its end, with its log and metrics.
        """


class RoleCredentials(Protocol):
    """Temporary keys for the function's role, put into its environment. Implemented by identity/."""

    def issue(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        """`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`."""


@dataclass(frozen=True, slots=True)
class RuntimeRow:
    """One line of `penstock doctor`."""

    runtime: str
    interpreter: str | None
    words: str
    exact: bool


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One line of `penstock status`. Times are real seconds."""

    scope: Scope
    function: str
    version: str
    state: str
    pid: int | None
    age_s: float
    idle_s: float
    invokes: int
    init_ms: float
    memory_mb: int
    log_stream: str
    substitute: bool
