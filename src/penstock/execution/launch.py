"""Making environments forked from zygotes: interpreter, code, keys, directories, variables, fork.

Rule: whatever fails here is the platform's failure, told as a `LaunchError` with AWS's code and a way out.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.execution.environment import Environment, LaunchError
from penstock.execution.forked import ForkedEnvironment
from penstock.execution.interpreters import Choice, NoInterpreterError
from penstock.execution.journal import Journal
from penstock.execution.model import RoleCredentials
from penstock.execution.variables import Surroundings, variables
from penstock.execution.zygote import ZygoteError, Zygotes
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)


class CodeStore(Protocol):
    """Where unpacked packages are. Implemented by registry/artifacts."""

    async def unpacked(self, code_sha256: str) -> Path:
        """The directory of a package's files; raises when the package is missing or broken."""


class Interpreters(Protocol):
    """The choice of interpreter. Implemented by `probe.Machine`."""

    async def choose(self, runtime: str) -> Choice:
        """Raises `NoInterpreterError`."""


class ForkLauncher:
    """See the module."""

    def __init__(  # noqa: PLR0913 - the places an environment is put together from
        self,
        *,
        clock: Clock,
        dice: Dice,
        code: CodeStore,
        credentials: RoleCredentials,
        endpoint: Callable[[], str],
        interpreters: Interpreters,
        zygotes: Zygotes,
        library: Path,
        temporary: Path,
    ) -> None:
        """`temporary` gets one directory per environment."""
        self._clock = clock
        self._dice = dice
        self._code = code
        self._credentials = credentials
        self._endpoint = endpoint
        self._interpreters = interpreters
        self._zygotes = zygotes
        self._library = library
        self._temporary = temporary

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> ForkedEnvironment:
        """A started, not yet initialised environment."""
        choice = await self._choose(version.runtime)
        task_root = await self._unpack(version)
        temporary = self._temporary / self._dice.token(8).hex()
        temporary.mkdir(mode=0o700, parents=True)
        environment = ForkedEnvironment(version, journal, self._clock, lambda env: self._gone(env, temporary, gone))
        environment.substitute = not choice.exact
        plan: dict[str, object] = {
            "handler": version.handler,
            "task_root": str(task_root),
            "layer_paths": [],
            "variables": variables(
                version,
                Surroundings(
                    endpoint=self._endpoint(),
                    credentials=self._keys(version),
                    task_root=task_root,
                    library=self._library,
                    temporary=temporary,
                    log_group=journal.group,
                    log_stream=journal.stream,
                    interpreter=choice.interpreter.path,
                ),
            ),
        }
        try:
            zygote = await self._zygotes.get(choice.interpreter.path)
            await environment.connect(zygote, plan)
        except (ZygoteError, OSError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise LaunchError("ServiceException", f"no process for {version.arn}: {error}") from error
        return environment

    async def words(self, runtime: str) -> str:
        """The runtime and the interpreter that runs it, for the first log line."""
        return (await self._choose(runtime)).words

    async def _choose(self, runtime: str) -> Choice:
        try:
            return await self._interpreters.choose(runtime)
        except NoInterpreterError as error:
            raise LaunchError("InvalidRuntimeException", str(error)) from error

    async def _unpack(self, version: FunctionVersion) -> Path:
        try:
            return await self._code.unpacked(version.code_sha256)
        except Exception as error:
            log.exception("the code package of %s cannot be unpacked", version.arn)
            raise LaunchError(
                "InvalidZipFileException", f"the code package of {version.arn} cannot be read: {error}"
            ) from error

    def _keys(self, version: FunctionVersion) -> dict[str, str]:
        try:
            return dict(self._credentials.issue(version.role, version.name))
        except Exception as error:
            log.exception("no credentials for %s", version.role)
            raise LaunchError("ServiceException", f"no credentials for the role {version.role}: {error}") from error

    def _gone(self, environment: Environment, temporary: Path, gone: Callable[[Environment], None]) -> None:
        # In a thread: a function may have left a hundred thousand files.
        asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(temporary, ignore_errors=True))
        gone(environment)
