"""The processes of one environment, as its keeper tells of them. Rule: what they print goes to who reads it, how they
end to the environment; nothing is decided here.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from penstock.execution.output import Output
from penstock.execution.sandbox.model import Body
from penstock.execution.served.keeper import Keeper
from penstock.execution.served.plan import Plan
from penstock.execution.served.post import Connector
from penstock.execution.zygote import ForkListener

Lines = Callable[[list[str]], None]


class Owner(ForkListener, Protocol):
    """The environment."""

    def listening(self, sock: socket.socket) -> None:
        """The keeper opened the address."""

    def not_started(self, name: str, why: str) -> None:
        """A program could not be started."""

    def process_ended(self, name: str, status: int, rss_kb: int) -> None:
        """A process ended, with this wait status."""

    def lost(self, why: str) -> None:
        """The keeper is gone or broken."""


class Processes:
    """See the module; the methods `told` and `lost` are the keeper's."""

    def __init__(self, owner: Owner, printed: Lines, extension_printed: Lines) -> None:
        """Nothing runs before `begin`."""
        self._owner = owner
        self._printed = printed
        self._extension_printed = extension_printed
        self._outputs: list[Output] = []
        self._ordered: set[str] = set()
        self.running: set[str] = set()
        """Names of those that run: `runtime`, and the extensions'."""
        self.connector = Connector(lambda ident, port: self.keeper.order(do="connect", id=ident, port=port))

    def begin(self, body: Body, plan: Plan) -> None:
        """Start the keeper; raises `ZygoteError` or `OSError`."""
        self._plan = plan
        self.keeper = Keeper(body, self, self._owner)
        self._outputs = [Output(self.keeper.start({"port": plan.port}), self._printed)]

    def start(self, name: str, command: tuple[str, ...], *, own_output: bool = False) -> None:
        """Start a program, once."""
        if name in self._ordered:
            return
        self._ordered.add(name)
        self.keeper.order(
            do="start", name=name, command=command, variables=dict(self._plan.variables),
            directory=str(self._plan.directory), own_output=own_output,
        )  # fmt: skip

    def drain(self) -> None:
        """Take in everything printed up to now."""
        for output in self._outputs:
            output.drain()

    def close(self) -> None:
        """Let go of everything."""
        self.keeper.close()
        for output in self._outputs:
            with suppress(OSError):
                output.close()

    def told(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """See `News`."""
        match message["what"]:
            case "listening":
                self._owner.listening(socket.socket(fileno=descriptors.pop()))
            case "started":
                self.running.add(message["name"])
                if descriptors:
                    self._outputs.append(Output(_unblocked(descriptors.pop()), self._extension_printed))
            case "failed":
                self._owner.not_started(message["name"], message["why"])
            case "exited":
                self.running.discard(message["name"])
                self._owner.process_ended(message["name"], message["status"], message["rss_kb"])
            case "connecting":
                self.connector.connecting(message["id"], descriptors.pop())
            case "unreachable":
                self.connector.unreachable(message["id"], message["why"])
        for descriptor in descriptors:
            os.close(descriptor)

    def lost(self, why: str) -> None:
        """See `News`."""
        self._owner.lost(why)


def _unblocked(descriptor: int) -> int:
    os.set_blocking(descriptor, False)
    return descriptor
