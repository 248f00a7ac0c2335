"""Making environments that speak the Runtime API. Rule: the platform's failures are `LaunchError`s; the function's own
(no bootstrap, not executable) are told by the environment at its init.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.execution.environment import Environment, LaunchError
from penstock.execution.interpreters import NoInterpreterError
from penstock.execution.journal import Journal
from penstock.execution.provision import Provision
from penstock.execution.sandbox.freezer import Freezer
from penstock.execution.sandbox.model import Setting
from penstock.execution.served.entry import Entry, Family
from penstock.execution.served.environment import ServedEnvironment
from penstock.execution.served.plan import Plan
from penstock.execution.zygote import ZygoteError, Zygotes
from penstock.registry.model import FunctionVersion


class ServedLauncher:
    """See the module."""

    def __init__(
        self,
        *,
        clock: Clock,
        dice: Dice,
        provision: Provision,
        families: Mapping[str, Family],
        zygotes: Zygotes,
        keeper: str,
        freezer: Freezer,
    ) -> None:
        """`families` by the beginning of the runtime's name; `keeper` is the Python whose zygote forks keepers."""
        self._clock = clock
        self._dice = dice
        self._provision = provision
        self._families = dict(families)
        self._zygotes = zygotes
        self._interpreter = keeper
        self._freezer = freezer

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> ServedEnvironment:
        """A started, not yet initialised environment."""
        package = await self._provision.unpack(version)
        layers = await self._provision.layers(version)
        entry = await self._entry(version, package, layers)
        try:
            zygote = await self._zygotes.get(self._interpreter)
            setting = await self._provision.setting(zygote, version, package, layers)
        except (ZygoteError, OSError) as error:
            raise LaunchError("ServiceException", f"no process for {version.arn}: {error}") from error

        def dead(environment: Environment) -> None:
            setting.clear()
            gone(environment)

        environment = ServedEnvironment(
            version, journal, clock=self._clock, dice=self._dice, freezer=self._freezer, gone=dead
        )
        environment.substitute = entry.substitute
        try:
            variables = self._provision.variables(version, journal, setting, program=entry.program, own=entry.variables)
            environment.connect(setting.body, _plan(entry, setting, variables, external_extensions(layers)))
        except BaseException as error:
            setting.abandon()
            if isinstance(error, (ZygoteError, OSError)):
                raise LaunchError("ServiceException", f"no process for {version.arn}: {error}") from error
            raise
        return environment

    async def words(self, runtime: str) -> str:
        """What runs this runtime, for the first log line."""
        try:
            return await self._family(runtime).words(runtime)
        except NoInterpreterError as error:
            raise LaunchError("InvalidRuntimeException", str(error)) from error

    async def _entry(self, version: FunctionVersion, task_root: Path, layers: Path | None) -> Entry:
        try:
            return await self._family(version.runtime).entry(version, task_root, layers)
        except NoInterpreterError as error:
            raise LaunchError("InvalidRuntimeException", str(error)) from error

    def _family(self, runtime: str) -> Family:
        return next(family for prefix, family in self._families.items() if runtime.startswith(prefix))


def external_extensions(layers: Path | None) -> list[str]:
    """The executables in the layers' `extensions`, which are started before the runtime."""
    directory = layers / "extensions" if layers else None
    if directory is None or not directory.is_dir():
        return []
    return sorted(str(file) for file in directory.iterdir() if file.is_file() and os.access(file, os.X_OK))


def _plan(entry: Entry, setting: Setting, variables: Mapping[str, str], extensions: list[str]) -> Plan:
    """What to start, by the names that things have where it starts."""
    script = (str(setting.library / entry.script),) if entry.script else ()
    return Plan(
        command=(*map(setting.inside, entry.command), *script, *map(setting.inside, entry.arguments)),
        variables={name: setting.inside(value) for name, value in variables.items()},
        directory=setting.task_root,
        refusal=setting.inside(entry.refusal),
        extensions=tuple(setting.inside(one) for one in extensions),
    )
