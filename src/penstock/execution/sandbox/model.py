"""Levels of isolation and what was found out about them. Rule: values only."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from penstock.execution.zygote import ForkListener, Zygote
from penstock.registry.model import FunctionVersion


class Level(StrEnum):
    """How strongly environments are kept apart."""

    FULL = "full"
    """Own namespaces, root directory and user; limits by cgroup; a filter on system calls."""
    PROCESS = "process"
    """A process of the server's own user with resource limits. For code one trusts."""


class Demand(StrEnum):
    """What the operator asks for: `penstock up --isolation`."""

    AUTO = "auto"
    """The strongest that the machine allows."""
    REQUIRED = "required"
    """Full, or the server does not start."""
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a probe found. A text that is not empty says what is missing."""

    root: bool
    cgroups: str = ""
    """`v2` or `v1` when every controller we need is ours to use."""
    cgroups_missing: str = ""
    cells_missing: str = ""
    """Why the trial could not make a cell."""
    no_way_out: str = ""
    """Why cells cannot reach the network outside."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What was decided, shown by `penstock up`, `doctor`, `status` and health."""

    level: Level
    words: str
    """One line: what contains a function here."""
    missing: tuple[str, ...] = ()
    """What full isolation lacks on this machine."""
    unprivileged: bool = False
    warning: str = ""


class Body(Protocol):
    """What an environment's code runs in: a bare process, or a cell. One environment each."""

    def begin(self, channel: int, output: int, listener: ForkListener) -> None:
        """Let the runtime's process live on these descriptors; raises `OSError` or `ZygoteError`."""

    def initialised(self) -> None:
        """The init code ran: from now on the function gets its share of the processor, and no more."""

    def kill(self) -> None:
        """End it and all it started, frozen or not; `exited` follows."""

    def freeze(self) -> None:
        """Let nothing in it run."""

    def thaw(self) -> None:
        """Let it go on."""

    def memory_kb(self) -> int | None:
        """What all of it uses now; None where only looking at its processes can tell."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where one environment will run, and what its directories are called there."""

    body: Body
    task_root: Path
    library: Path
    temporary: Path
    clear: Callable[[], None]
    """To be called when it has ended."""
    opt: Path | None = None
    """Where the layers are: `/opt` in a cell, their own directory elsewhere; None without layers."""
    seen: tuple[tuple[Path, Path], ...] = ()
    """Directories that have another name in there."""

    def inside(self, text: str) -> str:
        """A command or a sentence as it reads in there."""
        for outer, inner in self.seen:
            text = text.replace(str(outer), str(inner))
        return text

    def abandon(self) -> None:
        """Give it up unused."""
        self.body.kill()
        self.clear()


class Ground(Protocol):
    """Makes settings of one level."""

    async def setting(self, zygote: Zygote, version: FunctionVersion, package: Path, layers: Path | None) -> Setting:
        """A place for one environment of this code and these merged layers; raises `ZygoteError` or `OSError`."""

    def ready(self, zygote: Zygote) -> None:
        """Prepare for the first environment of this zygote in the background."""

    async def stop(self) -> None:
        """End whatever waits unused."""
