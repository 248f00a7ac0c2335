"""The warm process that environments are forked from: one per interpreter. Rule: single-threaded, never runs user code.

Started by the server as a script with `-I -S -E`: `zygote.py CONTROL_FD LIBRARY_DIRECTORY LEVEL`. It reads requests
from the control socket (fork, cell, kill), reaps what ends, tells the server, and between requests imports in small
steps what functions are likely to need. When the server goes away it kills every descendant and ends. At level `full`
the first message is a plan (see `root.py`) by which it closes itself in, and then it makes cells instead of forks.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import site
import socket
import sys
import types
from contextlib import suppress
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120

STEPS = [
    "datetime",
    "decimal",
    "random",
    "uuid",
    "hashlib",
    "base64",
    "urllib.parse",
    "ssl",
    "urllib.request",
    "http.client",
    "email.message",
    "concurrent.futures",
    "xml.etree.ElementTree",
    "six",
    "dateutil.parser",
    "urllib3.util",
    "urllib3",
    "jmespath",
    "botocore.exceptions",
    "botocore.compat",
    "botocore.utils",
    "botocore.auth",
    "botocore.credentials",
    "botocore.handlers",
    "botocore.client",
    "botocore.session",
    "s3transfer.manager",
    "boto3",
    "boto3.session",
]


def adopt_package() -> None:
    """Make `penstock.execution.bootstrap` importable from this directory, and nothing else of Penstock."""
    for name in ("penstock", "penstock.execution", "penstock.execution.bootstrap"):
        package = types.ModuleType(name)
        package.__path__ = [HERE] if name.endswith("bootstrap") else []
        sys.modules[name] = package


def hide_package() -> None:
    """Function code finds no `penstock`: the modules loaded so far hold on to each other without their names."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "penstock"]:
        del sys.modules[name]


class Zygote:
    """The control loop."""

    def __init__(
        self, control: socket.socket, library: str, bootstrap: Any, kernel: Any, process: Any, closed: Closed | None
    ) -> None:
        """The modules come in as arguments because their names are hidden by now."""
        self._control = control
        self._bootstrap = bootstrap
        self._kernel = kernel
        self._process = process
        self._closed = closed
        self._freezers: int | None = None
        self._pid = os.getpid()
        self._environments: dict[int, int] = {}
        self._steps = list(STEPS)
        self._loaded: dict[str, str] = {}
        self._wake, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if library:
            sys.path.append(library)

    def run(self) -> None:
        """Serve until the server is gone."""
        gc.disable()  # a collection in the parent would copy pages that environments share
        self._tell({"op": "ready", "version": list(sys.version_info[:3]), "executable": sys.executable})
        poll = select.poll()
        poll.register(self._control.fileno(), select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = dict(poll.poll(0 if self._steps else None))
            if self._wake in ready:
                with suppress(BlockingIOError):
                    os.read(self._wake, 4096)
                self._reap()
            if self._control.fileno() in ready and not self._serve():
                return
            if not ready and self._steps:
                self._preload()

    def _serve(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 2)
        if not data:
            return False
        request = json.loads(data)
        if request["op"] == "fork":
            self._fork(request["id"], descriptors)
        elif request["op"] == "cell":
            self._cell(request, descriptors)
        elif request["op"] == "freezers":
            self._freezers = descriptors[0]
        elif request["op"] == "kill":
            self._kill(request["id"])
        return True

    def _fork(self, ident: int, descriptors: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"op": "failed", "id": ident, "why": f"fork: {error.strerror}"})
        else:
            if pid == 0:
                self._bootstrap.live(descriptors[0], descriptors[1], self._pid, self._kernel)
            self._environments[pid] = ident
            self._tell({"op": "forked", "id": ident, "pid": pid})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _cell(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Make a cell; its control socket comes with the request."""
        ident, control = request["id"], descriptors[0]
        assert self._closed is not None
        try:
            pid = self._closed.clone()
        except OSError as error:
            self._tell({"op": "failed", "id": ident, "why": str(error)})
        else:
            if pid == 0:
                self._closed.live(request, control, self._bootstrap, self._kernel)
            self._environments[pid] = ident
            self._tell({"op": "forked", "id": ident, "pid": pid})
        finally:
            os.close(control)

    def _kill(self, ident: int) -> None:
        for pid, known in self._environments.items():
            if known == ident:
                _kill_group(pid)

    def _reap(self) -> None:
        """Report every environment that ended, and end whatever it left behind."""
        while True:
            try:
                peek = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if peek is None:
                break
            # The pid is ours until it is waited for, so the group cannot be somebody else's yet.
            if peek.si_pid in self._environments:
                _kill_group(peek.si_pid)
            _, status, usage = os.wait4(peek.si_pid, 0)
            ident = self._environments.pop(peek.si_pid, None)
            if ident is not None:
                self._tell({"op": "exited", "id": ident, "status": status, "rss_kb": usage.ru_maxrss})
        self._kill_orphans()

    def _kill_orphans(self) -> None:
        # An environment adopts its own orphans; what reaches us belonged to one that is dead.
        for pid in self._process.children():
            if pid not in self._environments:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _preload(self) -> None:
        name = self._steps.pop(0)
        try:
            module = importlib.import_module(name)
            self._loaded[name] = str(getattr(module, "__version__", ""))
        except Exception as error:  # noqa: BLE001 - a library this interpreter cannot run is told, not fatal
            self._tell({"op": "unloadable", "name": name, "why": f"{type(error).__name__}: {error}"})
            self._steps = []
        if not self._steps:
            gc.collect()
            gc.freeze()
            self._tell({"op": "preloaded", "versions": {name: v for name, v in self._loaded.items() if v}})

    def _tell(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())

    def end(self) -> None:
        """Kill every descendant, however deep: when a parent dies its children become ours."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._thaw()
        for pid in self._environments:
            _kill_group(pid)
        while True:
            for pid in self._process.children():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def _thaw(self) -> None:
        """With cgroups of version 1 the frozen do not even die."""
        if self._freezers is None:
            return
        for name in os.listdir(self._freezers):  # noqa: PTH208 - a descriptor has no path here
            with suppress(OSError):
                state = os.open(f"{name}/freezer.state", os.O_WRONLY, dir_fd=self._freezers)
                os.write(state, b"THAWED")


class Closed:
    """What a zygote that is closed in makes cells with."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Close this process in; raises `OSError`."""
        system = importlib.import_module("penstock.execution.bootstrap.system")
        self._module = importlib.import_module("penstock.execution.bootstrap.cell")
        self._program = importlib.import_module("penstock.execution.bootstrap.seccomp").program()
        self._spec = {
            "network": importlib.import_module("penstock.execution.bootstrap.network").namespace(),
            "unprivileged": plan["unprivileged"],
        }
        self._system = system.System()
        importlib.import_module("penstock.execution.bootstrap.root").confine(self._system, plan)

    def clone(self) -> int:
        """The first process of a new cell: 0 in it, its pid here; raises `OSError`."""
        pid: int = self._system.clone(self._module.FLAGS)
        return pid

    def live(self, request: dict[str, Any], control: int, bootstrap: Any, kernel: Any) -> None:
        """The whole life of that process."""
        own = self._module.enter(kernel, control)
        cell = self._module.Cell(self._system, {**self._spec, **request}, own, self._program)
        cell.live(lambda channel, output: bootstrap.live(channel, output, 1, kernel))


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):  # it may not have reached its setsid yet
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """See the module."""
    adopt_package()
    bootstrap = importlib.import_module("penstock.execution.bootstrap.environment")
    process = importlib.import_module("penstock.execution.bootstrap.process")
    process.close_inherited(keep=int(sys.argv[1]))
    control = os.dup(int(sys.argv[1]))  # the lowest free number, where `keep_only` looks
    os.close(int(sys.argv[1]))
    closed = Closed(json.loads(os.read(control, 65536))) if sys.argv[3] == "full" else None
    hide_package()
    for give in (site.setquit, site.setcopyright, site.sethelper):
        give()  # `exit` and `help`, which `-S` leaves out and function code may use
    kernel = process.Kernel()
    kernel.die_with_parent(signal.SIGTERM)
    kernel.adopt_orphans()
    zygote = Zygote(socket.socket(fileno=control), sys.argv[2], bootstrap, kernel, process, closed)
    try:
        zygote.run()
    except (OSError, EOFError):  # the server's end is gone
        return
    finally:
        zygote.end()


if __name__ == "__main__":
    main()
    os._exit(0)
