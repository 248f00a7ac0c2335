"""The server's end of a cell. Rule: whatever ends it (its function, the server, the machine's memory), its listener
hears of it once, and its group, its sockets and its user number are given back.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from penstock.execution.sandbox.groups import Group
from penstock.execution.zygote import ForkListener, Zygote, ZygoteError

log = logging.getLogger(__name__)

READY_S = 10.0
REMOVE_EVERY_S = 0.05
REMOVE_TRIES = 100
STARVED_KB = 1 << 40
"""More than any limit: the kernel killed it for want of memory, so it used all it was given."""

Doors = Callable[[list[socket.socket]], Awaitable[Callable[[], None]]]
"""Serves a cell's sockets until the returned function is called."""


class Cell:
    """See the module; the methods are those of `Body`."""

    def __init__(self, zygote: Zygote, group: Group, released: Callable[[], None]) -> None:
        """`open` makes it; `released` is called when nothing of it is left."""
        self._zygote = zygote
        self._group = group
        self._released = released
        self._control: socket.socket | None = None
        self._ident = 0
        self._pid = asyncio.get_running_loop().create_future()
        self._ready: asyncio.Future[list[socket.socket]] = asyncio.get_running_loop().create_future()
        self._listener: ForkListener | None = None
        self._told: tuple[int, int] | None = None
        self._close_doors: Callable[[], None] | None = None
        self._start: dict[str, Any] = {}
        self._memory_mb = self._ephemeral_mb = 0
        self.alive = True

    async def open(self, spec: Mapping[str, Any], doors: Doors) -> None:
        """Wait until it can take a function; raises `ZygoteError` or `OSError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        self._control = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._readable)
        try:
            self._ident = self._zygote.cell(theirs.fileno(), spec, self)
        except ZygoteError:
            self.exited(None, 0)
            raise
        finally:
            theirs.close()
        try:
            async with asyncio.timeout(READY_S):
                # In a thread: moving a process between groups waits for every processor of the machine.
                await asyncio.to_thread(self._group.enter, await self._pid)
                self._tell({"op": "go"}, [])
                self._close_doors = await doors(await self._ready)
        except BaseException:
            self.kill()
            raise

    def assign(self, shown: Mapping[str, str], memory_mb: int, ephemeral_mb: int) -> None:
        """What the function that comes next may see and use."""
        self._start = {"op": "start", "shown": dict(shown), "ephemeral_mb": ephemeral_mb}
        self._memory_mb, self._ephemeral_mb = memory_mb, ephemeral_mb

    def begin(self, channel: int, output: int, listener: ForkListener) -> None:
        """See `Body`."""
        self._group.limit(self._memory_mb, self._ephemeral_mb)
        self._tell(self._start, [channel, output])
        self._listener = listener
        listener.forked(self._pid.result())

    def initialised(self) -> None:
        """See `Body`."""
        with suppress(OSError):  # it may just have died
            self._group.share(self._memory_mb)

    def kill(self) -> None:
        """See `Body`."""
        with suppress(OSError):
            self._group.thaw()
        self._zygote.kill(self._ident)

    def freeze(self) -> None:
        """See `Body`."""
        with suppress(OSError):
            self._group.freeze()

    def thaw(self) -> None:
        """See `Body`."""
        with suppress(OSError):
            self._group.thaw()

    def memory_kb(self) -> int:
        """See `Body`. More than any limit once the kernel had to kill something in it."""
        return STARVED_KB if self._group.starved() else self._group.used_kb()

    # What the zygote tells.

    def forked(self, pid: int) -> None:
        """Its first process exists."""
        if not self._pid.done():
            self._pid.set_result(pid)

    def exited(self, wait_status: int | None, rss_kb: int) -> None:
        """Nothing of it runs any more."""
        if not self.alive:
            return
        self.alive = False
        self._readable()  # its last words may be waiting
        self._drop_control()
        for future in (self._pid, self._ready):
            if not future.done():
                future.set_exception(ZygoteError("the cell ended while it was made"))
                future.exception()  # nobody may be waiting
        status, peak_kb = self._told or (wait_status, rss_kb)
        if self._group.starved():
            peak_kb = STARVED_KB
        if self._close_doors is not None:
            self._close_doors()
        if self._listener is not None:
            self._listener.exited(status, peak_kb)
        self._remove(REMOVE_TRIES)

    # What the cell tells.

    def _readable(self) -> None:
        while self._control is not None:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 4)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            if not data:
                self._drop_control()
                return
            self._hear(json.loads(data), descriptors)

    def _hear(self, message: dict[str, Any], descriptors: list[int]) -> None:
        match message["op"]:
            case "ready" if not self._ready.done():
                self._ready.set_result([socket.socket(fileno=descriptor) for descriptor in descriptors])
            case "exited":
                self._told = message["status"], message["rss_kb"]
            case "failed":
                log.error("a cell could not be made ready: %s", message["why"])

    def _tell(self, message: Mapping[str, Any], descriptors: list[int]) -> None:
        if self._control is None:
            raise ZygoteError("the cell is gone")
        socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)

    def _drop_control(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            asyncio.get_running_loop().remove_reader(control.fileno())
            control.close()

    def _remove(self, tries: int) -> None:
        """Remove the group, as soon as the kernel has buried the last of it."""
        if self._group.remove():
            self._released()
        elif tries:
            for pid in self._group.members():  # only when its zygote was killed and could not see to it
                with suppress(OSError):
                    self._group.thaw()
                    os.kill(pid, signal.SIGKILL)
            asyncio.get_running_loop().call_later(REMOVE_EVERY_S, self._remove, tries - 1)
        else:
            log.error("a control group could not be removed; the next start sweeps it")
            self._released()
