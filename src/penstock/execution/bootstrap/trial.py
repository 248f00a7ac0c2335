"""Tries once whether this machine lets us make cells: closes itself in, makes one, ends. Prints one line of JSON.

Run by the server's probe as a script: `trial.py PLAN`. Rule: it uses the very code that cells are made with, so that
its answer cannot differ from what happens later, and it leaves nothing behind, because namespaces die with it.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import types
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120


def adopt_package() -> None:
    """As the zygote does: the bootstrap without the rest of Penstock."""
    for name in ("penstock", "penstock.execution", "penstock.execution.bootstrap"):
        package = types.ModuleType(name)
        package.__path__ = [HERE] if name.endswith("bootstrap") else []
        sys.modules[name] = package


def attempt(plan: dict[str, Any]) -> str:
    """Make a cell; why there is no way out of it, or `""`. Raises whatever the machine refuses with."""
    modules = {
        name: importlib.import_module(f"penstock.execution.bootstrap.{name}")
        for name in ("system", "network", "root", "cell", "seccomp")
    }
    program = modules["seccomp"].program()
    system = modules["system"].System()
    spec = {"network": modules["network"].namespace(), "unprivileged": plan["unprivileged"]}
    spec |= {"user": plan["user"], "endpoint": ["127.0.0.1", 9]}
    modules["root"].confine(system, plan)
    reading, writing = os.pipe()
    if system.clone(modules["cell"].FLAGS) == 0:
        os.write(writing, _inside(modules, system, spec, program).encode())
        os._exit(0)
    os.close(writing)
    answer = json.loads(os.read(reading, 65536))
    if answer["failed"]:
        raise OSError(answer["failed"])
    return str(answer["no_way_out"])


def _inside(modules: dict[str, Any], system: Any, spec: dict[str, Any], program: bytes) -> str:
    try:
        modules["cell"].Cell(system, spec, socket.socket(), program).close()
        _, why = modules["network"].set_up(tuple(spec["endpoint"]), spec["network"])
        modules["cell"].become_nobody(system, spec["user"], program, nested=spec["unprivileged"])
    except Exception as error:  # noqa: BLE001 - this is what we came to hear
        return json.dumps({"failed": str(error)})
    return json.dumps({"failed": "", "no_way_out": why})


def main() -> None:
    """See the module."""
    adopt_package()
    try:
        answer = {"failed": "", "no_way_out": attempt(json.loads(sys.argv[1]))}
    except Exception as error:  # noqa: BLE001 - this is what we came to hear
        answer = {"failed": str(error) or type(error).__name__, "no_way_out": ""}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
