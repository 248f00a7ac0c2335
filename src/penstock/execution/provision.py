"""What every launcher needs before a process can start: code, keys, a place, variables.

Rule: whatever fails here is the platform's failure, told as a `LaunchError` with AWS's code and a way out.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from penstock.execution.environment import LaunchError
from penstock.execution.journal import Journal
from penstock.execution.model import RoleCredentials
from penstock.execution.sandbox.model import Ground, Setting
from penstock.execution.variables import Surroundings, variables
from penstock.execution.zygote import Zygote
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)


class CodeStore(Protocol):
    """Where unpacked packages are. Implemented by registry/artifacts."""

    @property
    def directory(self) -> Path:
        """Everything unpacked lies below it."""

    async def unpacked(self, code_sha256: str) -> Path:
        """The directory of a package's files; raises when the package is missing or broken."""

    async def layers(self, code_sha256s: Sequence[str]) -> Path | None:
        """The directory of these layers' merged files, base first; None without layers; raises likewise."""


class Provision:
    """See the module."""

    def __init__(
        self,
        *,
        code: CodeStore,
        credentials: RoleCredentials,
        endpoint: Callable[[], str],
        ground: Callable[[], Ground],
    ) -> None:
        """`ground` is known once the room has started."""
        self._code = code
        self._credentials = credentials
        self._endpoint = endpoint
        self._ground = ground

    async def unpack(self, version: FunctionVersion) -> Path:
        """The directory of the version's package."""
        try:
            return await self._code.unpacked(version.code_sha256)
        except Exception as error:
            log.exception("the code package of %s cannot be unpacked", version.arn)
            raise LaunchError(
                "InvalidZipFileException", f"the code package of {version.arn} cannot be read: {error}"
            ) from error

    async def layers(self, version: FunctionVersion) -> Path | None:
        """The merged directory of the version's layers, what the function sees as `/opt`; None without layers."""
        try:
            return await self._code.layers(version.layer_codes)
        except Exception as error:
            log.exception("the layers of %s cannot be unpacked", version.arn)
            raise LaunchError(
                "InvalidZipFileException", f"the layers of {version.arn} cannot be read: {error}"
            ) from error

    async def setting(self, zygote: Zygote, version: FunctionVersion, package: Path, layers: Path | None) -> Setting:
        """A place for one environment; raises `ZygoteError` or `OSError`."""
        return await self._ground().setting(zygote, version, package, layers)

    def variables(
        self,
        version: FunctionVersion,
        journal: Journal,
        setting: Setting,
        *,
        program: str,
        own: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The environment variables of a new environment; `program` and `own` as in `Surroundings`."""
        around = Surroundings(
            endpoint=self._endpoint(),
            credentials=self._keys(version),
            task_root=setting.task_root,
            library=setting.library,
            temporary=setting.temporary,
            opt=setting.opt,
            log_group=journal.group,
            log_stream=journal.stream,
            initialization=journal.initialization,
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
