"""How a runtime of its own is started: the command, and what its family adds to the variables. Rule: a package without
a way to start is the function's error, told at init as AWS tells it, not the platform's.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from penstock.execution.model import RuntimeRow
from penstock.registry.model import FunctionVersion

OS_ONLY = ("provided.al2", "provided.al2023")


@dataclass(frozen=True, slots=True)
class Entry:
    """A way to start."""

    command: tuple[str, ...]
    refusal: str = ""
    """Why there is none."""
    script: str = ""
    """A file of ours in the library directory, after the command."""
    arguments: tuple[str, ...] = ()
    """What comes after the script."""
    program: str = ""
    """The interpreter, whose directory belongs on PATH; empty when there is none."""
    variables: Mapping[str, str] | None = field(default_factory=dict)
    """What the family sets in place of Python's `PYTHONPATH`; None for Python's."""
    substitute: bool = False


class Family(Protocol):
    """Runtimes that start alike."""

    async def entry(self, version: FunctionVersion, task_root: Path, layers: Path | None) -> Entry:
        """How to start this package; raises `NoInterpreterError` when the machine cannot."""

    async def words(self, runtime: str) -> str:
        """What runs it, for the first log line; raises `NoInterpreterError`."""

    async def rows(self) -> list[RuntimeRow]:
        """Its runtimes, for doctor."""

    async def stop(self) -> None:
        """Give up what is under way."""


class OsOnly:
    """`provided.*`: an executable `bootstrap` in the package or in a layer."""

    async def entry(self, version: FunctionVersion, task_root: Path, layers: Path | None) -> Entry:
        """See `Family`."""
        del version
        places = [task_root / "bootstrap", *([layers / "bootstrap"] if layers else [])]
        for place in places:
            if place.is_file():
                return Entry((str(place),))
        shown = " ".join(str(place) for place in places)
        return Entry((), refusal=f"Couldn't find valid bootstrap(s): [{shown}]")

    async def words(self, runtime: str) -> str:
        """See `Family`."""
        return f"{runtime} on {system()}"

    async def rows(self) -> list[RuntimeRow]:
        """For doctor. Exact only on Amazon Linux: programs linked against its libraries may miss them elsewhere."""
        return [RuntimeRow(one, "bootstrap", await self.words(one), exact=_is_system_of(one)) for one in OS_ONLY]

    async def stop(self) -> None:
        """See `Family`."""


def _is_system_of(runtime: str) -> bool:
    return runtime.replace("provided.al", "Amazon Linux ") in system()


def system() -> str:
    """This machine's own system, which is what an OS-only runtime finds: `Debian GNU/Linux 12 (bookworm)`."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()
