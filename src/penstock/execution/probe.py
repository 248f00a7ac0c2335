"""Which Pythons this machine has. Rule: asked once, when first needed; nothing waits for it at start.

The interpreter that runs the server is known without asking, so a function of the same version never waits.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import orjson

from penstock.execution.interpreters import SUPPORTED, Choice, Interpreter, NoInterpreterError, choose

log = logging.getLogger(__name__)

PROBE_S = 10.0
AT_ONCE = 2
_ASK = "import sys; print('[%d,%d,%d]' % sys.version_info[:3]); print(getattr(sys, '_base_executable', sys.executable))"


def candidates(path: str, home: Path) -> list[Path]:
    """Files that may be a Python we run, each once: `PATH`, the usual directories, and what pyenv installed."""
    directories = [Path(entry) for entry in path.split(os.pathsep) if entry.startswith("/")]
    directories += [Path("/usr/bin"), Path("/usr/local/bin")]
    directories += sorted(home.glob(".pyenv/versions/*/bin"), reverse=True)
    found: dict[Path, Path] = {}
    for directory in directories:
        for name in SUPPORTED:
            file = directory / name
            # A pyenv shim only forwards to one of the versions that are listed anyway.
            if file.parent.name != "shims" and os.access(file, os.X_OK):
                found.setdefault(file.resolve(), file)
    return list(found.values())


async def ask(file: Path, gate: asyncio.Semaphore) -> Interpreter | None:
    """The interpreter behind a file, or None when it does not run."""
    async with gate:
        try:
            process = await asyncio.create_subprocess_exec(
                str(file), "-I", "-S", "-E", "-c", _ASK,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            log.info("%s does not run: %s", file, error)
            return None
        try:
            async with asyncio.timeout(PROBE_S):
                answer, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return None
    return _read(answer)


def _read(answer: bytes) -> Interpreter | None:
    try:
        version, path = answer.decode().strip().splitlines()
        major, minor, patch = orjson.loads(version)
    except ValueError:
        return None
    return Interpreter(path, (major, minor, patch))


def own() -> Interpreter:
    """The interpreter this server runs on, outside of its virtual environment."""
    path = getattr(sys, "_base_executable", sys.executable)
    return Interpreter(path, (sys.version_info.major, sys.version_info.minor, sys.version_info.micro))


class Machine:
    """The interpreters of this machine."""

    def __init__(self, *, strict: bool, path: str = os.defpath, home: Path | None = None) -> None:
        """`path` is searched like `PATH`; `home` for pyenv's versions."""
        self.strict = strict
        self._path = path
        self._home = home
        self._own = own()
        self._probing: asyncio.Task[list[Interpreter]] | None = None

    async def choose(self, runtime: str) -> Choice:
        """The interpreter for a runtime; raises `NoInterpreterError`."""
        quick = Choice(runtime, self._own)
        return (
            quick if quick.exact and runtime in SUPPORTED else choose(runtime, await self.found(), strict=self.strict)
        )

    async def found(self) -> list[Interpreter]:
        """Every usable interpreter, the server's own first."""
        if self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._probe(), name="probe interpreters")
        return await asyncio.shield(self._probing)

    async def choices(self) -> dict[str, Choice | NoInterpreterError]:
        """For each runtime what would run it, or why nothing would."""
        found = await self.found()
        return {runtime: self._try(runtime, found) for runtime in SUPPORTED}

    async def stop(self) -> None:
        """Give up a probe under way."""
        if self._probing is not None and not self._probing.done():
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    def _try(self, runtime: str, found: Iterable[Interpreter]) -> Choice | NoInterpreterError:
        try:
            return choose(runtime, found, strict=self.strict)
        except NoInterpreterError as error:
            return error

    async def _probe(self) -> list[Interpreter]:
        gate = asyncio.Semaphore(AT_ONCE)
        files = await asyncio.to_thread(candidates, self._path, self._home or Path.home())
        answers = await asyncio.gather(*(ask(file, gate) for file in files))
        others = {one.path: one for one in answers if one is not None and one.path != self._own.path}
        return [self._own, *others.values()]
