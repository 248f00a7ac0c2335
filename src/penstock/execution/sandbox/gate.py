"""The server's end of the egress process: starts it when the first cell needs it, and again should it die.

Rule: the server keeps every cell's sockets, so that a new process serves the cells of the old one.
"""

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger(__name__)


class Gate:
    """See the module."""

    def __init__(self) -> None:
        """No process yet."""
        self._cells: dict[int, list[socket.socket]] = {}
        self._count = 0
        self._control: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def open(self, sockets: list[socket.socket]) -> Callable[[], None]:
        """Lead what comes out of these sockets (TCP, DNS) to the network, until the returned function is called."""
        await self._start()
        self._count += 1
        ident = self._count
        self._cells[ident] = sockets
        self._add(ident)
        return lambda: self._drop(ident)

    async def stop(self) -> None:
        """End the process."""
        if self._control is not None:
            self._lost()
        if self._process is not None:
            await self._process.wait()

    async def _start(self) -> None:
        async with self._starting:
            if self._control is not None:
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)  # noqa: FBT003 - its only parameter
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", __name__.replace("gate", "egress"), str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True,
                    env={name: value for name, value in os.environ.items() if name.startswith("PYTHON")},
                )  # fmt: skip
            self._control = ours
            asyncio.get_running_loop().add_reader(ours.fileno(), self._readable)
            for ident in self._cells:
                self._add(ident)

    def _add(self, ident: int) -> None:
        self._tell({"op": "add", "id": ident}, [each.fileno() for each in self._cells[ident]])

    def _drop(self, ident: int) -> None:
        for each in self._cells.pop(ident, []):
            each.close()
        self._tell({"op": "drop", "id": ident}, [])

    def _tell(self, message: dict[str, object], descriptors: list[int]) -> None:
        if self._control is not None:
            with suppress(OSError):  # it died, and the reader notices
                socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)

    def _readable(self) -> None:
        """It never speaks: readable means gone. The next cell starts another, which serves all."""
        log.error("the egress process ended; the next cold start gets a new one")
        self._lost()

    def _lost(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            asyncio.get_running_loop().remove_reader(control.fileno())
            control.close()
