"""Python functions with extensions: the same bootstrap as in the zygote's forks, as a program of its own.

Rule: functions without extensions never come here, so that they keep the fast road.
"""

from collections.abc import Callable
from pathlib import Path

from penstock.execution.environment import Environment, Launcher
from penstock.execution.interpreters import Choice
from penstock.execution.journal import Journal
from penstock.execution.launch import Interpreters
from penstock.execution.libraries import PYTHON_DIRECTORY
from penstock.execution.model import RuntimeRow
from penstock.execution.provision import Provision
from penstock.execution.served.entry import Entry
from penstock.execution.served.launcher import external_extensions
from penstock.execution.variables import layer_paths
from penstock.registry.model import FunctionVersion


class Pythons:
    """The `python` family of runtimes that speak the Runtime API."""

    def __init__(self, interpreters: Interpreters) -> None:
        """The same choice as for forks."""
        self._interpreters = interpreters

    async def entry(self, version: FunctionVersion, task_root: Path, layers: Path | None) -> Entry:
        """See `Family`."""
        del task_root
        choice = await self._choose(version.runtime)
        program = choice.interpreter.path
        return Entry(
            command=(program, "-I", "-S"),
            script=f"{PYTHON_DIRECTORY}/served.py",
            arguments=tuple(layer_paths(layers, version.runtime)),
            program=program,
            variables=None,
            substitute=not choice.exact,
        )

    async def words(self, runtime: str) -> str:
        """See `Family`."""
        return (await self._choose(runtime)).words

    async def rows(self) -> list[RuntimeRow]:
        """None: the room tells of its interpreters."""
        return []

    async def stop(self) -> None:
        """Nothing is under way."""

    async def _choose(self, runtime: str) -> Choice:
        return await self._interpreters.choose(runtime)


class PythonLauncher:
    """A `Launcher` that forks, unless the layers bring extensions."""

    def __init__(self, *, forked: Launcher, served: Launcher, provision: Provision) -> None:
        """Both are the room's."""
        self._forked = forked
        self._served = served
        self._provision = provision

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> Environment:
        """See `Launcher`."""
        if version.layers and external_extensions(await self._provision.layers(version)):
            return await self._served.launch(version, journal, gone)
        return await self._forked.launch(version, journal, gone)

    async def words(self, runtime: str) -> str:
        """See `Launcher`."""
        return await self._forked.words(runtime)
