"""Writing down what has already happened outside, however long the disk refuses. Rule: the outside is not asked to do
it again just because it could not be written down.
"""

from collections.abc import Callable

from penstock.core.clock import Clock
from penstock.core.errors import StoreUnavailableError
from penstock.store.database import Connection, Store

SHORTEST_S, LONGEST_S = 0.5, 15.0
"""Real seconds between two attempts, doubling."""


async def write_patiently(store: Store, clock: Clock, work: Callable[[Connection], object]) -> None:
    """`store.write(work)`, again and again while the disk refuses."""
    pause_s = SHORTEST_S
    while True:
        try:
            await store.write(work)
        except StoreUnavailableError:
            await clock.pause(pause_s)
            pause_s = min(LONGEST_S, pause_s * 2)
        else:
            return
