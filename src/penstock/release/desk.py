"""What every use case of this room needs, in one value. Rule: made once in `room.py`; nothing here decides."""

from collections.abc import Callable
from dataclasses import dataclass

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.release.commits import Commits
from penstock.release.markers.recorder import Markers
from penstock.release.ports import AliasTable, ErrorRates
from penstock.release.tick import Tick
from penstock.store.database import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The room's dependencies."""

    store: Store
    commits: Commits
    clock: Clock
    dice: Dice
    markers: Markers
    tick: Tick
    routing: AliasTable
    rates: ErrorRates
    wake: Callable[[], None]
    """There is something for the tick to do now."""
