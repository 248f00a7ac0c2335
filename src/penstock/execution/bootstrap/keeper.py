"""The first process of an environment that speaks the Runtime API. Rule: it runs no code of the function; it starts the
runtime and the extensions where it lives itself, tells the server how they end, and takes them along when it goes.

The address is opened here and handed to the server as a descriptor, and connections to the function's own ports are
made here too, so that both work when this process has a network of its own.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
from contextlib import suppress
from typing import Any

from penstock.execution.bootstrap import frames, process

BACKLOG = 64


def keep(channel: frames.BlockingChannel, plan: dict[str, Any], kernel: process.Kernel) -> int:
    """Serve orders until the server closes the channel or kills this process."""
    keeper = Keeper(channel, plan, kernel)
    try:
        keeper.open()
        keeper.run()
    except EOFError:
        return 0
    return 1


class Keeper:
    """See the module."""

    def __init__(self, channel: frames.BlockingChannel, plan: dict[str, Any], kernel: process.Kernel) -> None:
        """`plan`: task_root, and port (0 for any free one)."""
        self._channel = channel
        self._socket = socket.socket(fileno=os.dup(channel.descriptor))
        self._plan = plan
        self._kernel = kernel
        self._names: dict[int, str] = {}
        self._address = ""

    def open(self) -> None:
        """Take the address and hand it to the server."""
        listening = socket.create_server(("127.0.0.1", self._plan["port"]), backlog=BACKLOG)
        self._address = f"127.0.0.1:{listening.getsockname()[1]}"
        self._tell({"what": "listening", "address": self._address}, [listening.fileno()])
        listening.close()

    def run(self) -> None:
        """Obey and reap, for ever."""
        wake, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._channel.descriptor, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if wake in ready:
                with suppress(BlockingIOError):
                    os.read(wake, 4096)
                self._reap()
            if self._channel.descriptor in ready:
                self._obey()

    def _obey(self) -> None:
        # One frame at a time; what the channel has buffered beyond it would not wake the poll, so take all of it.
        while True:
            kind, _, meta, _ = self._channel.receive()
            if kind != frames.ORDER:
                raise frames.FrameError("expected an order")
            order = json.loads(meta)
            if order["do"] == "start":
                self._start(order)
            elif order["do"] == "signal":
                self._signal(order["name"], order["signal"])
            elif order["do"] == "connect":
                self._connect(order["id"], order["port"])
            if not self._channel.buffered:
                return

    def _start(self, order: dict[str, Any]) -> None:
        """Start one process; its output goes to the log pipe, or to one of its own that is handed to the server."""
        output, write = os.pipe2(os.O_CLOEXEC) if order["own_output"] else (-1, 1)
        failed, failed_write = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            self._become(order, write, failed_write)
        os.close(failed_write)
        told = os.read(failed, 16)  # empty as soon as the new program runs
        os.close(failed)
        number = int(told) if told else 0
        self._names[pid] = order["name"]
        message = {"what": "started" if not number else "failed", "name": order["name"], "pid": pid}
        if number:
            message["why"] = _words(number)
        if order["own_output"]:
            os.close(write)
            self._tell(message, [output])
            os.close(output)
        else:
            self._tell(message)

    def _become(self, order: dict[str, Any], output: int, failed: int) -> None:
        """The child's side of `_start`; never returns."""
        try:
            self._kernel.die_with_parent(signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            if output != 1:
                os.dup2(output, 1)
                os.dup2(output, 2)
            os.chdir(order["directory"])
            variables = {**order["variables"], "AWS_LAMBDA_RUNTIME_API": self._address}
            os.execve(order["command"][0], order["command"], variables)  # noqa: S606 - that is its purpose
        except OSError as error:
            os.write(failed, str(error.errno or errno.EIO).encode())
        finally:
            os._exit(127)

    def _signal(self, name: str, number: int) -> None:
        for pid, known in self._names.items():
            if known == name:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _connect(self, ident: int, port: int) -> None:
        """A connection to a server of the function's own; made without waiting, so a full one cannot hold us."""
        connecting = socket.socket()
        connecting.setblocking(False)  # noqa: FBT003 - its only parameter
        number = connecting.connect_ex(("127.0.0.1", port))
        if number in (0, errno.EINPROGRESS):
            self._tell({"what": "connecting", "id": ident}, [connecting.fileno()])
        else:
            self._tell({"what": "unreachable", "id": ident, "why": _words(number)})
        connecting.close()

    def _reap(self) -> None:
        """Tell of our own processes that ended; orphans of theirs are only buried."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._names.pop(pid, None)
            if name is not None:
                self._tell({"what": "exited", "name": name, "status": status, "rss_kb": usage.ru_maxrss})

    def _tell(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        given = descriptors or []
        data = frames.encode(frames.TOLD, 0, json.dumps({**message, "descriptors": len(given)}).encode())
        sent = socket.send_fds(self._socket, [data], given) if given else 0
        self._socket.sendall(data[sent:])


def _words(number: int) -> str:
    """As Go spells an errno, which is what AWS shows."""
    return os.strerror(number)[:1].lower() + os.strerror(number)[1:]
