"""Facts inside one process: a room says what happened, another may listen. Rule: published after commit, never before.

A fact may be lost in a crash, so it only wakes someone who would find out anyway by reading the store.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger(__name__)
F = TypeVar("F")


class Bus:
    """Synchronous delivery by the fact's type. A listener that raises is logged and harms nobody else."""

    def __init__(self) -> None:
        """A bus with no listeners."""
        self._listeners: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(self, fact: type[F], listener: Callable[[F], None]) -> None:
        """Call `listener` for every fact of exactly this type."""
        self._listeners[fact].append(listener)

    def publish(self, fact: object) -> None:
        """Tell everyone who listens for `type(fact)`."""
        for listener in self._listeners[type(fact)]:
            try:
                listener(fact)
            except Exception:
                log.exception("a listener for %s failed; the fact itself stands", type(fact).__name__)
