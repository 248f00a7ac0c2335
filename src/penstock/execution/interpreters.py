"""Which interpreter runs a runtime. Rule: pure; the exact version, else the nearest newer, else the nearest older.

Running `python3.12` on 3.11 is a substitute and is said wherever someone looks: doctor, status, first log line.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SUPPORTED = tuple(f"python3.{minor}" for minor in range(9, 15))
_PYTHON = re.compile(r"python3\.(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python found on this machine."""

    path: str
    version: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """The interpreter for a runtime."""

    runtime: str
    interpreter: Interpreter

    @property
    def exact(self) -> bool:
        """Whether the minor version is the one the runtime names."""
        return self.runtime == "python{}.{}".format(*self.interpreter.version)

    @property
    def words(self) -> str:
        """`python3.12 on CPython 3.11.2 (/usr/bin/python3.11), a substitute: …`."""
        version = ".".join(map(str, self.interpreter.version))
        told = f"{self.runtime} on CPython {version} ({self.interpreter.path})"
        return told if self.exact else f"{told}, a substitute: this machine has no {self.runtime}"


class NoInterpreterError(LookupError):
    """No interpreter for this runtime; the message says why and what to do."""


def choose(runtime: str, found: Iterable[Interpreter], *, strict: bool) -> Choice:
    """The interpreter that runs `runtime`; raises `NoInterpreterError`."""
    match = _PYTHON.match(runtime)
    if not match or runtime not in SUPPORTED:
        raise NoInterpreterError(
            f"runtime {runtime!r} is not one this server runs: it runs {SUPPORTED[0]} to {SUPPORTED[-1]}"
        )
    wanted = int(match[1])
    usable = [one for one in found if one.version[:2] >= (3, 9)]
    if strict:
        usable = [one for one in usable if one.version[1] == wanted]
    if not usable:
        hint = "install it or start without --strict-runtimes" if strict else "install one"
        raise NoInterpreterError(f"no interpreter for runtime {runtime} on this machine: {hint}")
    return Choice(runtime, min(usable, key=lambda one: _distance(one.version, wanted)))


def _distance(version: tuple[int, int, int], wanted: int) -> tuple[bool, int, int]:
    """Newer before older, near before far, and among equals the latest patch."""
    minor = version[1]
    return (minor < wanted, abs(minor - wanted), -version[2])
