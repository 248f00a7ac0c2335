"""Level *process*: an environment is a bare process of the server's own user. Rule: no promise that the kernel does not
keep for us; what this level does not contain is listed in docs/isolation.md.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from penstock.execution.sandbox.model import Setting
from penstock.execution.zygote import ForkListener, Zygote
from penstock.registry.model import FunctionVersion


class OpenGround:
    """Gives each environment a temporary directory, and nothing more."""

    def __init__(self, *, token: Callable[[], str], library: Path, temporary: Path) -> None:
        """`temporary` gets one directory per environment, named by `token`."""
        self._token = token
        self._library = library
        self._temporary = temporary

    async def setting(self, zygote: Zygote, version: FunctionVersion, package: Path, layers: Path | None) -> Setting:
        """See `Ground`."""
        del version
        temporary = self._temporary / self._token()
        temporary.mkdir(mode=0o700, parents=True)
        return Setting(OpenBody(zygote), package, self._library, temporary, lambda: _clear(temporary), opt=layers)

    def ready(self, zygote: Zygote) -> None:
        """A fork needs no preparation."""

    async def stop(self) -> None:
        """Nothing waits."""


class OpenBody:
    """A process forked from a zygote, and its group."""

    def __init__(self, zygote: Zygote) -> None:
        """Nothing runs until `begin`."""
        self._zygote = zygote
        self._ident = 0
        self._pid: int | None = None
        self._listener: ForkListener | None = None

    def begin(self, channel: int, output: int, listener: ForkListener) -> None:
        """See `Body`."""
        self._listener = listener
        self._ident = self._zygote.fork(channel, output, self)

    def forked(self, pid: int) -> None:
        """The zygote's word."""
        self._pid = pid
        if self._listener:
            self._listener.forked(pid)

    def exited(self, wait_status: int | None, rss_kb: int) -> None:
        """The zygote's word."""
        self._pid = None
        if self._listener:
            self._listener.exited(wait_status, rss_kb)

    def initialised(self) -> None:
        """This level has no say over the processor."""

    def kill(self) -> None:
        """See `Body`; the stopped die too."""
        if self._ident:
            self._zygote.kill(self._ident)

    def freeze(self) -> None:
        """Stop its group. A child that left the group goes on: this level cannot hold it."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """See `Body`."""
        self._signal(signal.SIGCONT)

    def memory_kb(self) -> int | None:
        """See `Body`."""
        return None

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)


def _clear(temporary: Path) -> None:
    # In a thread: a function may have left a hundred thousand files.
    asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(temporary, ignore_errors=True))
