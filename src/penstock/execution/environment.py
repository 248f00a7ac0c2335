"""What the dispatcher knows of a running copy of a version, whatever it is made of. Rule: interface only.

There are two kinds: a Python process forked from a zygote (`forked.py`), and programs that speak the Runtime API
(`served/`). `launchers.py` chooses by runtime.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from penstock.execution.journal import Journal
from penstock.execution.states import State
from penstock.execution.stream import ResponseStream
from penstock.registry.model import FunctionVersion


class EndKind(StrEnum):
    """How an init phase or an invoke ended, as the environment saw it."""

    READY = "ready"
    """The init code ran."""
    RESULT = "result"
    ERROR = "error"
    """The runtime sent an error document."""
    EXITED = "exited"
    """The process ended, or broke the protocol and was ended."""


class End(NamedTuple):
    """The end of an init phase or of an invoke."""

    kind: EndKind
    payload: bytes = b""
    error_type: str | None = None
    """For EXITED: None is AWS's `Runtime.ExitError`."""
    reason: str = ""
    """For EXITED: AWS's words, `Runtime exited with error: exit status 1`."""
    peak_kb: int = 0


class Environment(Protocol):
    """One running copy of one version."""

    version: FunctionVersion
    journal: Journal
    created_at: float
    """On the monotonic clock."""
    idle_since: float
    invokes: int
    init_ms: float
    doomed: bool
    """Takes no further invoke: its version is no longer current, or it misbehaved."""
    substitute: bool
    """Runs on another interpreter than the runtime names."""

    @property
    def state(self) -> State:
        """Where it is in its life."""

    @property
    def pid(self) -> int | None:
        """Its main process."""

    async def initialise(self, limit_s: float) -> End | None:
        """Run the init code. None when `limit_s` passed first; the environment is then ended."""

    def begin(
        self,
        meta: bytes,
        event: bytes,
        ended: Callable[["Environment", End], None],
        stream: ResponseStream | None = None,
    ) -> None:
        """Hand over one event. `ended` is called exactly once, unless `stop` comes first.

        A runtime that streams its response writes to `stream`, and the end's payload is empty.
        """

    def when_idle(self, then: Callable[["Environment"], None]) -> None:
        """Call `then` when it can take another event; for one that has replied and is not done yet (SETTLING)."""

    def drain(self) -> None:
        """Take in everything written up to now."""

    def memory_kb(self) -> tuple[int, int]:
        """Resident memory now and at its peak."""

    def stop(self) -> None:
        """End it and all it started, now. Never calls `ended`."""

    def kill(self) -> None:
        """End it as the machine would; an invoke under way ends as EXITED."""


class Launcher(Protocol):
    """Makes environments of one kind."""

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> Environment:
        """A started, not yet initialised environment; raises `LaunchError`. `gone` is called when it is DEAD."""

    async def words(self, runtime: str) -> str:
        """What runs this runtime, for the first log line; raises `LaunchError` when nothing does."""


class LaunchError(RuntimeError):
    """No environment could be made; it is not the function's fault. `code` is AWS's error code."""

    def __init__(self, code: str, message: str) -> None:
        """The message says what was wrong and what to do."""
        super().__init__(message)
        self.code = code
