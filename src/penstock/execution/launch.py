"""Making environments forked from zygotes. Rule: whatever fails here is the platform's failure, told as a `LaunchError`
with AWS's code and a way out.
"""

from collections.abc import Callable
from typing import Protocol

from penstock.core.clock import Clock
from penstock.execution.environment import Environment, LaunchError
from penstock.execution.forked import ForkedEnvironment
from penstock.execution.interpreters import Choice, NoInterpreterError
from penstock.execution.journal import Journal
from penstock.execution.provision import Provision
from penstock.execution.sandbox.freezer import Freezer
from penstock.execution.variables import layer_paths
from penstock.execution.zygote import ZygoteError, Zygotes
from penstock.registry.model import FunctionVersion


class Interpreters(Protocol):
    """The choice of interpreter. Implemented by `probe.Machine`."""

    async def choose(self, runtime: str) -> Choice:
        """Raises `NoInterpreterError`."""


class ForkLauncher:
    """See the module."""

    def __init__(
        self, *, clock: Clock, provision: Provision, interpreters: Interpreters, zygotes: Zygotes, freezer: Freezer
    ) -> None:
        """All are shared with the room."""
        self._clock = clock
        self._freezer = freezer
        self._provision = provision
        self._interpreters = interpreters
        self._zygotes = zygotes

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> ForkedEnvironment:
        """A started, not yet initialised environment."""
        choice = await self._choose(version.runtime)
        package, layers = await self._provision.unpack(version), await self._provision.layers(version)
        program = choice.interpreter.path
        try:
            zygote = await self._zygotes.get(program)
            setting = await self._provision.setting(zygote, version, package, layers)
        except (ZygoteError, OSError) as error:
            raise LaunchError("ServiceException", f"no process for {version.arn}: {error}") from error

        def dead(environment: Environment) -> None:
            setting.clear()
            gone(environment)

        environment = ForkedEnvironment(version, journal, self._clock, self._freezer, dead)
        environment.substitute = not choice.exact
        try:
            plan: dict[str, object] = {
                "handler": version.handler,
                "task_root": str(setting.task_root),
                "layer_paths": layer_paths(setting.opt, version.runtime),
                "variables": self._provision.variables(version, journal, setting, program=program),
            }
            await environment.connect(setting.body, plan)
        except BaseException as error:
            setting.abandon()
            if isinstance(error, (ZygoteError, OSError)):
                raise LaunchError("ServiceException", f"no process for {version.arn}: {error}") from error
            raise
        return environment

    async def words(self, runtime: str) -> str:
        """The runtime and the interpreter that runs it, for the first log line."""
        return (await self._choose(runtime)).words

    async def _choose(self, runtime: str) -> Choice:
        try:
            return await self._interpreters.choose(runtime)
        except NoInterpreterError as error:
            raise LaunchError("InvalidRuntimeException", str(error)) from error
