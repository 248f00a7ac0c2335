"""What every launcher needs before a process can start: code, keys, a directory, variables.

Rule: whatever fails here is the platform's failure, told as a `LaunchError` with AWS's code and a way out.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from penstock.core.dice import Dice
from penstock.execution.environment import LaunchError
from penstock.execution.journal import Journal
from penstock.execution.model import RoleCredentials
from penstock.execution.variables import Surroundings, variables
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)


class CodeStore(Protocol):
    """Where unpacked packages are. Implemented by registry/artifacts."""

    async def unpacked(self, code_sha256: str) -> Path:
        """The directory of a package's files; raises when the package is missing or broken."""


class Provision:
    """See the module."""

    def __init__(
        self,
        *,
        dice: Dice,
        code: CodeStore,
        credentials: RoleCredentials,
        endpoint: Callable[[], str],
        library: Path,
        temporary: Path,
    ) -> None:
        """`library` holds what AWS's Python runtimes carry; `temporary` gets one directory per environment."""
        self._dice = dice
        self._code = code
        self._credentials = credentials
        self._endpoint = endpoint
        self._library = library
        self._temporary = temporary

    async def unpack(self, version: FunctionVersion) -> Path:
        """The directory of the version's package."""
        try:
            return await self._code.unpacked(version.code_sha256)
        except Exception as error:
            log.exception("the code package of %s cannot be unpacked", version.arn)
            raise LaunchError(
                "InvalidZipFileException", f"the code package of {version.arn} cannot be read: {error}"
            ) from error

    def directory(self) -> Path:
        """A new private directory for temporary files."""
        made = self._temporary / self._dice.token(8).hex()
        made.mkdir(mode=0o700, parents=True)
        return made

    def discard(self, directory: Path) -> None:
        """Remove it, in a thread: a function may have left a hundred thousand files."""
        asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(directory, ignore_errors=True))

    def variables(
        self,
        version: FunctionVersion,
        journal: Journal,
        *,
        task_root: Path,
        temporary: Path,
        program: str,
        own: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The environment variables of a new environment; `program` and `own` as in `Surroundings`."""
        around = Surroundings(
            endpoint=self._endpoint(),
            credentials=self._keys(version),
            task_root=task_root,
            library=self._library,
            temporary=temporary,
            log_group=journal.group,
            log_stream=journal.stream,
            interpreter=program,
            own=own,
        )
        return variables(version, around)

    def _keys(self, version: FunctionVersion) -> dict[str, str]:
        try:
            return dict(self._credentials.issue(version.role, version.name))
        except Exception as error:
            log.exception("no credentials for %s", version.role)
            raise LaunchError("ServiceException", f"no credentials for the role {version.role}: {error}") from error
