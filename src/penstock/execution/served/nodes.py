"""Which Node.js runs a runtime, and how it is started. Rule: the exact major version, else the nearest newer, else the
nearest older, said wherever someone looks; asked of the machine once, when first needed.
"""

import asyncio
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.execution.interpreters import NoInterpreterError
from penstock.execution.libraries import NODE_DIRECTORY
from penstock.execution.model import RuntimeRow
from penstock.execution.served.entry import Entry
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)

SUPPORTED = tuple(f"nodejs{major}.x" for major in (18, 20, 22, 24))
BOOTSTRAP = f"{NODE_DIRECTORY}/bootstrap.mjs"
PROBE_S = 10.0
HEAP_SHARE = 0.9
"""Of the memory, for JavaScript's old objects; the rest is for Node itself, buffers and code."""
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js found on this machine."""

    path: str
    version: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """The Node.js for a runtime."""

    runtime: str
    node: Node

    @property
    def exact(self) -> bool:
        """Whether the major version is the one the runtime names."""
        return self.runtime == f"nodejs{self.node.version[0]}.x"

    @property
    def words(self) -> str:
        """`nodejs22.x on Node.js 20.20.2 (/usr/bin/node), a substitute: …`."""
        told = f"{self.runtime} on Node.js {'.'.join(map(str, self.node.version))} ({self.node.path})"
        return told if self.exact else f"{told}, a substitute: this machine has no {self.runtime}"


def choose(runtime: str, found: Iterable[Node], *, strict: bool) -> NodeChoice:
    """The Node.js that runs `runtime`; raises `NoInterpreterError`."""
    if runtime not in SUPPORTED:
        raise NoInterpreterError(f"runtime {runtime!r} is not one this server runs: it runs {', '.join(SUPPORTED)}")
    wanted = int(runtime[6:8])
    usable = [node for node in found if node.version[0] >= 18 and (not strict or node.version[0] == wanted)]
    if not usable:
        hint = "install it or start without --strict-runtimes" if strict else "install one (18 or newer) on the PATH"
        raise NoInterpreterError(f"no Node.js for runtime {runtime} on this machine: {hint}")
    return NodeChoice(runtime, min(usable, key=lambda node: _distance(node.version, wanted)))


def _distance(version: tuple[int, int, int], wanted: int) -> tuple[bool, int, int, int]:
    major, minor, patch = version
    return (major < wanted, abs(major - wanted), -minor, -patch)


def candidates(path: str, home: Path) -> list[Path]:
    """Files that may be a Node.js, each once: `PATH`, the usual directories, and what nvm installed."""
    directories = [Path(entry) for entry in path.split(os.pathsep) if entry.startswith("/")]
    directories += [Path("/usr/local/bin"), Path("/usr/bin")]
    directories += sorted(home.glob(".nvm/versions/node/*/bin"), reverse=True)
    found: dict[Path, Path] = {}
    for directory in directories:
        for name in ("node", "nodejs"):
            file = directory / name
            if os.access(file, os.X_OK) and file.is_file():  # in this order: `is_file` raises where one may not look
                found.setdefault(file.resolve(), file)
    return list(found.values())


async def ask(file: Path) -> Node | None:
    """The Node.js behind a file, or None when it does not run."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(file), "--version",
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
    match = _VERSION.match(answer.decode(errors="replace"))
    return Node(str(file), (int(match[1]), int(match[2]), int(match[3]))) if match else None


class Nodes:
    """The `nodejs` family."""

    def __init__(self, *, strict: bool, path: str, home: Path | None = None) -> None:
        """`path` is searched like `PATH`; `home` for nvm's versions."""
        self._strict = strict
        self._path = path
        self._home = home
        self._probing: asyncio.Task[list[Node]] | None = None

    async def entry(self, version: FunctionVersion, task_root: Path, layers: Path | None) -> Entry:
        """See `Family`."""
        choice = choose(version.runtime, await self._found(), strict=self._strict)
        heap_mb = int(version.memory_mb * HEAP_SHARE)
        command = (choice.node.path, f"--max-old-space-size={heap_mb}")
        wrapper = version.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
        return Entry(
            command=(_inside(wrapper, layers), *command) if wrapper else command,
            script=BOOTSTRAP,
            program=choice.node.path,
            variables={"NODE_PATH": _node_path(task_root, layers, version.runtime)},
            substitute=not choice.exact,
        )

    async def words(self, runtime: str) -> str:
        """See `Family`."""
        return choose(runtime, await self._found(), strict=self._strict).words

    async def rows(self) -> list[RuntimeRow]:
        """For doctor."""
        found, rows = await self._found(), []
        for runtime in SUPPORTED:
            try:
                choice = choose(runtime, found, strict=self._strict)
                rows.append(RuntimeRow(runtime, choice.node.path, choice.words, exact=choice.exact))
            except NoInterpreterError as error:
                rows.append(RuntimeRow(runtime, None, str(error), exact=False))
        return rows

    def prefixes(self) -> list[Path]:
        """The directories that hold this machine's Node.js installations."""
        return sorted({file.resolve().parents[1] for file in candidates(self._path, self._home or Path.home())})

    async def stop(self) -> None:
        """Give up a probe under way."""
        if self._probing is not None and not self._probing.done():
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _found(self) -> list[Node]:
        if self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._probe(), name="probe Node.js")
        return await asyncio.shield(self._probing)

    async def _probe(self) -> list[Node]:
        files = await asyncio.to_thread(candidates, self._path, self._home or Path.home())
        return [node for file in files if (node := await ask(file)) is not None]


def _node_path(task_root: Path, layers: Path | None, runtime: str) -> str:
    """Where `require` looks beyond the package; ES modules do not look here, at AWS neither."""
    of_layers = (f"{layers}/nodejs/node{runtime[6:8]}/node_modules", f"{layers}/nodejs/node_modules") if layers else ()
    return ":".join((*of_layers, f"{task_root}/node_modules", str(task_root)))


def _inside(path: str, layers: Path | None) -> str:
    """A path below /opt, where the layers really are."""
    return f"{layers}{path[4:]}" if layers and path.startswith("/opt/") else path
