"""A cell: the closed place in which one environment will live, made ahead so that a cold start does not wait for it.

Rule: the first process of a cell (its pid 1) never runs user code and holds no privilege once the function's process
exists; when it ends, the kernel ends everything in the cell with it.

The server's messages: `go` (it is in its control group), then `start` with the channel and the log pipe. The cell's:
`ready` with its sockets, `exited`, `failed`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from penstock.execution.bootstrap import network, process, root
from penstock.execution.bootstrap.system import (
    NEW_CGROUP,
    NEW_IPC,
    NEW_NET,
    NEW_NS,
    NEW_PID,
    NEW_USER,
    NEW_UTS,
    NODEV,
    NOEXEC,
    NOSUID,
    RDONLY,
    REMOUNT,
    System,
)  # fmt: skip

FLAGS = NEW_PID | NEW_NS | NEW_IPC | NEW_UTS | NEW_NET
TEMPORARY = "/tmp"  # noqa: S108 - a file system of the cell's own
HOST_NAME = "169-254-76-1"
Function = Callable[[int, int], None]


class Cell:
    """One cell, seen from its first process."""

    def __init__(self, system: System, spec: dict[str, Any], control: socket.socket, program: bytes) -> None:
        """`program` is the seccomp filter, built once in the zygote."""
        self._system = system
        self._spec = spec
        self._control = control
        self._program = program

    def live(self, function: Function) -> None:
        """Everything up to the end of the cell; `function` is what the inner process becomes, and never returns."""
        try:
            if self._hear()["op"] == "go":
                self.close()
                self._live(function)
        except EOFError:  # the server is gone, or has no use for this cell
            pass
        except BaseException as error:  # noqa: BLE001 - told to the server, whose log people read
            self._tell({"op": "failed", "why": f"{type(error).__name__}: {error}"})
        os._exit(1)

    def _live(self, function: Function) -> None:
        sockets, why = network.set_up(tuple(self._spec["endpoint"]), self._spec["network"])
        self._tell({"op": "ready", "no_way_out": why}, [each.fileno() for each in sockets])
        for each in sockets:
            each.close()
        start, descriptors = self._hear_start()
        self._furnish(start)
        pid = os.fork()
        if pid == 0:
            become_nobody(self._system, self._spec["user"], self._program, nested=self._spec["unprivileged"])
            function(descriptors[0], descriptors[1])
            os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        self._system.bound_capabilities()
        self._system.drop_capabilities()
        status, peak_kb = _wait_for(pid)
        self._tell({"op": "exited", "status": status, "rss_kb": peak_kb})
        os._exit(0)

    def close(self) -> None:
        """What every cell has, whatever will run in it."""
        self._system.hide_memory()
        self._system.unshare(NEW_CGROUP)
        socket.sethostname(HOST_NAME)
        self._system.mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
        self._system.mount("penstock", TEMPORARY, "tmpfs", NOSUID | NODEV, "mode=1777,size=64k")
        self._system.mount("penstock", root.OWN, "tmpfs", NOSUID | NODEV, "mode=755,size=64k")
        user = self._spec["user"]
        for name, text in (
            ("passwd", f"root:x:0:0:root:/:/sbin/nologin\nsbx_user1051:x:{user}:{user}::/tmp:/sbin/nologin\n"),
            ("group", f"root:x:0:\nsbx_user1051:x:{user}:\n"),
        ):
            root.write(f"{root.OWN}/{name}", text)
            self._system.bind(f"{root.OWN}/{name}", f"/etc/{name}")

    def _furnish(self, start: dict[str, Any]) -> None:
        """What belongs to the function: its code, its layers, its `/tmp`."""
        for given, target in start["shown"].items():
            self._system.bind(f"{root.GIVEN}/{given}", target)
        size = start["ephemeral_mb"]
        data = f"mode=1777,size={size}m,nr_inodes={size * 256}"
        self._system.mount("penstock", TEMPORARY, "tmpfs", REMOUNT | NOSUID | NODEV, data)
        self._system.unmount(root.GIVEN)
        self._system.mount("penstock", root.OWN, "tmpfs", REMOUNT | NOSUID | NODEV | RDONLY, "size=64k")

    def _hear(self) -> dict[str, Any]:
        return self._hear_start()[0]

    def _hear_start(self) -> tuple[dict[str, Any], list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 2)
        if not data:
            raise EOFError
        return json.loads(data), descriptors

    def _tell(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors or [])
        except OSError:  # the server is gone, and so are we next
            os._exit(1)


def become_nobody(system: System, user: int, program: bytes, *, nested: bool) -> None:
    """Give up every right for good, in the order in which that is possible."""
    if nested:  # without root: a user namespace of the function's own, in which it is somebody else
        system.hide_memory(hidden=False)  # else our own maps are not ours to write
        system.unshare(NEW_USER)
        root.map_user(user, 0, user, 0)
        system.bound_capabilities()
    else:
        system.bound_capabilities()  # while we still may
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    system.drop_capabilities()
    system.hide_memory(hidden=False)  # `/proc/self` is the function's own to read
    system.filter_calls(program)


def enter(kernel: process.Kernel, control: int) -> socket.socket:
    """The first moments after the clone: what the zygote left is closed, and its end will be ours."""
    os.setsid()
    kernel.die_with_parent(signal.SIGKILL)
    process.keep_only({control})
    process.reset_signals()
    return socket.socket(fileno=control)


def _wait_for(pid: int) -> tuple[int, int]:
    """Bury everybody until the function's own process ends."""
    while True:
        ended, status, usage = os.wait4(-1, 0)
        if ended == pid:
            return status, usage.ru_maxrss
