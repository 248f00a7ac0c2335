"""The server's end of a zygote: asks it for forks and kills, hears of exits. Rule: a zygote that is gone or silent is
replaced, and every environment that came from it is told that it ended.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("bootstrap") / "zygote.py"
START_S = 10.0


class ForkListener(Protocol):
    """An environment that waits for news of its process."""

    def forked(self, pid: int) -> None:
        """The process exists."""

    def exited(self, wait_status: int | None, rss_kb: int) -> None:
        """The process and its descendants are gone; None when nobody knows how it ended."""


class ZygoteError(RuntimeError):
    """The zygote could not be started or reached."""


@dataclass(frozen=True, slots=True)
class Closure:
    """How a zygote closes itself in, at full isolation."""

    plan: Callable[[], Mapping[str, Any]]
    """See `sandbox/layout.py`; asked at each start."""
    freezers: int | None
    """See `sandbox/groups.py`."""
    library: str


class Zygote:
    """One running zygote."""

    def __init__(self, interpreter: str, library: Path, closure: Closure | None = None) -> None:
        """Nothing runs until `start`."""
        self.interpreter = interpreter
        self.settled = asyncio.Event()
        """It has imported all that it will."""
        self.pid: int | None = None
        self.alive = False
        self.preloaded: dict[str, str] = {}
        self.unloadable: str | None = None
        self._library = closure.library if closure else str(library)
        self._closure = closure
        self._listeners: dict[int, ForkListener] = {}
        self._pids: dict[int, int] = {}
        self._next = 0
        self._ready: asyncio.Future[None] | None = None
        self._control: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it takes requests; raises `ZygoteError`."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        self._control = ours
        try:
            if self._closure is not None:
                ours.send(json.dumps(self._closure.plan()).encode())
            # On the loop's own thread: the parent-death signal is tied to the thread that forks.
            self._process = await asyncio.create_subprocess_exec(
                self.interpreter, "-I", "-S", "-E", str(SCRIPT), str(theirs.fileno()), self._library,
                "full" if self._closure else "process",
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),),
                start_new_session=True, cwd="/", env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            )  # fmt: skip
            self.pid = self._process.pid
            loop.add_reader(ours.fileno(), self._readable)
            async with asyncio.timeout(START_S):
                await self._ready
            if self._closure is not None and self._closure.freezers is not None:
                self._send({"op": "freezers"}, [self._closure.freezers])
        except (OSError, TimeoutError, ZygoteError) as error:
            await self.stop()
            raise ZygoteError(f"{self.interpreter} did not start: {error or 'no answer'}") from error
        finally:
            theirs.close()
        self.alive = True

    def fork(self, channel: int, output: int, listener: ForkListener) -> int:
        """Ask for a process that owns these descriptors; raises `ZygoteError`."""
        return self._ask({"op": "fork"}, [channel, output], listener)

    def cell(self, control: int, spec: Mapping[str, Any], listener: ForkListener) -> int:
        """Ask for a cell that is told what to do through `control`; raises `ZygoteError`."""
        return self._ask({"op": "cell", **spec}, [control], listener)

    def _ask(self, request: dict[str, Any], descriptors: list[int], listener: ForkListener) -> int:
        self._next += 1
        ident = self._next
        self._listeners[ident] = listener
        try:
            self._send({**request, "id": ident}, descriptors)
        except ZygoteError:
            del self._listeners[ident]
            raise
        return ident

    def kill(self, ident: int) -> None:
        """End a process and all it started; `exited` follows."""
        if ident in self._listeners:
            with suppress(ZygoteError):
                self._send({"op": "kill", "id": ident}, [])

    async def stop(self) -> None:
        """Close the control socket, which ends the zygote and its descendants, and wait for that."""
        self._lost("stopped")
        if self._process is None:
            return
        try:
            async with asyncio.timeout(5.0):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _send(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if self._control is None:
            raise ZygoteError("the zygote is gone")
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)
        except OSError as error:  # a full buffer counts: a zygote that does not read is as good as gone
            self._lost(f"does not take requests: {error}")
            raise ZygoteError(f"the zygote does not take requests: {error}") from error

    def _readable(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost("ended")
            return
        self._hear(json.loads(data))

    def _hear(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "ready":
                if self._ready and not self._ready.done():
                    self._ready.set_result(None)
            case "forked":
                self._pids[message["id"]] = message["pid"]
                if listener := self._listeners.get(message["id"]):
                    listener.forked(message["pid"])
            case "exited":
                self._gone(message["id"], message["status"], message["rss_kb"])
            case "failed":
                log.error("the zygote of %s could not fork: %s", self.interpreter, message["why"])
                self._gone(message["id"], None, 0)
            case "unloadable":
                self.unloadable = f"{message['name']}: {message['why']}"
            case "preloaded":
                self.preloaded = message["versions"]
                self.settled.set()

    def _gone(self, ident: int, wait_status: int | None, rss_kb: int) -> None:
        self._pids.pop(ident, None)
        if listener := self._listeners.pop(ident, None):
            listener.exited(wait_status, rss_kb)

    def _lost(self, why: str) -> None:
        """No more requests; whatever it forked is ended and told so."""
        control, self._control = self._control, None
        if control is None:
            return
        if self.alive and why != "stopped":
            log.error(
                "the zygote of %s (pid %s) %s; the next cold start gets a new one", self.interpreter, self.pid, why
            )
        self.alive = False
        asyncio.get_running_loop().remove_reader(control.fileno())
        control.close()
        if self._ready and not self._ready.done():
            self._ready.set_exception(OSError("it ended while starting"))
        if why != "stopped":
            self._kill_survivors()
        for ident in list(self._listeners):
            self._gone(ident, None, 0)

    def _kill_survivors(self) -> None:
        # Their parent-death signal has ended them already; this reaches the groups they led.
        for pid in self._pids.values():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


class Zygotes:
    """The zygotes of this server, one per interpreter, started when first needed."""

    def __init__(self, library: Path) -> None:
        """`library` holds what AWS's Python runtimes carry."""
        self.closure: Closure | None = None
        """Set before the first one starts, when isolation is full."""
        self._library = library
        self._running: dict[str, Zygote] = {}
        self._starting: dict[str, asyncio.Task[Zygote]] = {}

    async def get(self, interpreter: str) -> Zygote:
        """A zygote that takes requests; raises `ZygoteError`."""
        found = self._running.get(interpreter)
        if found and found.alive:
            return found
        if interpreter not in self._starting:
            task = asyncio.get_running_loop().create_task(self._start(interpreter), name=f"zygote:{interpreter}")
            self._starting[interpreter] = task
            task.add_done_callback(lambda _: self._starting.pop(interpreter, None))
        return await asyncio.shield(self._starting[interpreter])

    def running(self) -> list[Zygote]:
        """Those that are alive."""
        return [zygote for zygote in self._running.values() if zygote.alive]

    async def stop(self) -> None:
        """End all of them and everything they forked."""
        starting = list(self._starting.values())
        await asyncio.gather(*starting, return_exceptions=True)
        await asyncio.gather(*(zygote.stop() for zygote in self._running.values()))
        self._running.clear()

    async def _start(self, interpreter: str) -> Zygote:
        if old := self._running.pop(interpreter, None):
            await old.stop()
        zygote = Zygote(interpreter, self._library, self.closure)
        await zygote.start()
        self._running[interpreter] = zygote
        return zygote
