"""Which launcher makes a runtime's environments. Rule: the runtime's name alone decides."""

from collections.abc import Callable, Mapping

from penstock.execution.environment import Environment, Launcher, LaunchError
from penstock.execution.journal import Journal
from penstock.registry.model import FunctionVersion


class Launchers:
    """A `Launcher` made of several."""

    def __init__(self, by_prefix: Mapping[str, Launcher]) -> None:
        """By the beginning of the runtime's name: `python`, `nodejs`, `provided`."""
        self._by_prefix = dict(by_prefix)
        self.prefixes = tuple(by_prefix)

    async def launch(
        self, version: FunctionVersion, journal: Journal, gone: Callable[[Environment], None]
    ) -> Environment:
        """See `Launcher`."""
        return await self._of(version.runtime).launch(version, journal, gone)

    async def words(self, runtime: str) -> str:
        """See `Launcher`."""
        return await self._of(runtime).words(runtime)

    def _of(self, runtime: str) -> Launcher:
        for prefix, launcher in self._by_prefix.items():
            if runtime.startswith(prefix):
                return launcher
        raise LaunchError(
            "InvalidRuntimeException",
            f"runtime {runtime!r} is not one this server runs: it runs {', '.join(self._by_prefix)} runtimes",
        )
