"""Which environments exist and which are free. Rule: an environment serves one `code_id` and goes to nobody else.

Free ones are taken last in, first out, so that surplus ones grow old and are reaped; provisioned ones, which are not
reaped, come first. An invoke that waits for its cold start may be served by an environment that becomes free first.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from penstock.core.context import Scope
from penstock.execution.environment import Environment
from penstock.execution.states import State

W = TypeVar("W")
ALIVE = frozenset({State.IDLE, State.BUSY, State.SETTLING})


class Shelf(Generic[W]):
    """The environments of one version, and those who wait for one."""

    __slots__ = ("free", "members", "provisioned", "ready", "waiting")

    def __init__(self) -> None:
        """An empty shelf."""
        self.members: set[Environment] = set()
        self.free: list[Environment] = []
        self.provisioned: set[Environment] = set()
        self.ready: list[Environment] = []
        """The provisioned ones that are free."""
        self.waiting: deque[W] = deque()


class Pool(Generic[W]):
    """All environments of this server; `W` is what waits."""

    def __init__(self) -> None:
        """No environments."""
        self._shelves: dict[str, Shelf[W]] = {}
        self._provisioned: set[Environment] = set()

    def take(self, code_id: str) -> Environment | None:
        """The free environment used last, or None."""
        shelf = self._shelves.get(code_id)
        while shelf and (shelf.ready or shelf.free):
            environment = (shelf.ready or shelf.free).pop()
            if not environment.doomed and environment.state is State.IDLE:
                return environment
        return None

    def provision(self, environment: Environment) -> None:
        """It is kept ready from now on."""
        self._provisioned.add(environment)
        self._shelf(environment.version.code_id).provisioned.add(environment)

    def demote(self, environment: Environment) -> None:
        """It is one like any other from now on: used while it is there, reaped when idle."""
        shelf = self._shelves.get(environment.version.code_id)
        if shelf and environment in shelf.provisioned:
            shelf.provisioned.discard(environment)
            self._provisioned.discard(environment)
            if environment in shelf.ready:
                shelf.ready.remove(environment)
                shelf.free.append(environment)

    def is_provisioned(self, environment: Environment) -> bool:
        """Whether it is kept ready."""
        return environment in self._provisioned

    def provisioned(self, code_id: str) -> list[Environment]:
        """Those kept ready, idle or busy, that have a future."""
        shelf = self._shelves.get(code_id)
        return [one for one in shelf.provisioned if not one.doomed and one.state in ALIVE] if shelf else []

    def all_provisioned(self) -> Iterator[Environment]:
        """Every environment that is kept ready."""
        yield from list(self._provisioned)

    def usage(self, code_id: str) -> tuple[int, int]:
        """Of the environments kept ready, how many are busy and how many there are."""
        shelf = self._shelves.get(code_id) if self._provisioned else None
        return (len(shelf.provisioned) - len(shelf.ready), len(shelf.provisioned)) if shelf else (0, 0)

    def wait(self, code_id: str, waiting: W) -> None:
        """Stand in line for an environment that becomes free."""
        self._shelf(code_id).waiting.append(waiting)

    def leave(self, code_id: str, waiting: W) -> bool:
        """Leave the line; False when already served."""
        shelf = self._shelves.get(code_id)
        if shelf is None or waiting not in shelf.waiting:
            return False
        shelf.waiting.remove(waiting)
        self._tidy(code_id, shelf)
        return True

    def add(self, environment: Environment) -> None:
        """A new one, not free yet."""
        self._shelf(environment.version.code_id).members.add(environment)

    def give_back(self, environment: Environment) -> W | None:
        """The environment is free: who has waited longest for it, or None and it is put on the shelf."""
        shelf = self._shelf(environment.version.code_id)
        if shelf.waiting:
            return shelf.waiting.popleft()
        (shelf.ready if environment in shelf.provisioned else shelf.free).append(environment)
        return None

    def remove(self, environment: Environment) -> None:
        """It is dead."""
        self._provisioned.discard(environment)
        shelf = self._shelves.get(environment.version.code_id)
        if shelf is None:
            return
        shelf.members.discard(environment)
        shelf.provisioned.discard(environment)
        for shelved in (shelf.free, shelf.ready):
            if environment in shelved:
                shelved.remove(environment)
        self._tidy(environment.version.code_id, shelf)

    def all(self) -> Iterator[Environment]:
        """Every environment there is."""
        for shelf in list(self._shelves.values()):
            yield from list(shelf.members)

    def of_function(self, scope: Scope, name: str) -> Iterator[Environment]:
        """Those of one function, all versions."""
        return (one for one in self.all() if one.version.name == name and one.version.scope == scope)

    def doom(self, which: Callable[[Environment], bool]) -> int:
        """End the free ones that match, and the busy ones after their invoke. How many there were."""
        chosen = [environment for environment in self.all() if which(environment)]
        for environment in chosen:
            environment.doomed = True
            if environment.state is State.IDLE:
                environment.stop()
        return len(chosen)

    def _shelf(self, code_id: str) -> Shelf[W]:
        return self._shelves.setdefault(code_id, Shelf())

    def _tidy(self, code_id: str, shelf: Shelf[W]) -> None:
        if not shelf.members and not shelf.waiting:
            self._shelves.pop(code_id, None)
