"""What happens by itself: versions that are in progress settle, code that nobody names is swept.

Rule: the work is read from the rows, so after a restart it goes on where it was.
"""

import asyncio
import logging
from functools import partial

from penstock.core.loop import Loop
from penstock.registry.artifacts import DamagedPackageError, InUse
from penstock.registry.desk import Desk, Transaction
from penstock.registry.layers.records import read_layer_codes
from penstock.registry.model import FunctionVersion
from penstock.registry.package import PackageError
from penstock.registry.records import read_code_names, read_unsettled, read_version, write_version
from penstock.registry.states import Happening, after
from penstock.store.database import Connection

log = logging.getLogger(__name__)
SETTLE_EVERY_S = 60.0
"""Business seconds between two looks at the rows; every write that starts something wakes the loop at once."""
SWEEP_EVERY_S = 300.0
SWEEP_FLOOR_S = 30.0
Key = tuple[str, str]


class Settler:
    """Unpacks and verifies the code of versions in progress, each in its own task, and then settles them."""

    def __init__(self, desk: Desk, settle_s: float) -> None:
        """`settle_s`: real seconds that something stays in progress at least, so that it can be seen as in AWS."""
        self._desk = desk
        self._settle_s = settle_s
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self.loop = Loop("registry-settle", self.step, desk.clock, SETTLE_EVERY_S)

    async def step(self) -> None:
        """Start on every version in progress that nobody works on yet."""
        for version in await self._desk.store.read(read_unsettled):
            key = (version.arn, version.revision_id)
            if key not in self._tasks:
                task = asyncio.get_running_loop().create_task(self._settle(version))
                self._tasks[key] = task
                task.add_done_callback(partial(self._forget, key))

    async def idle(self) -> None:
        """Wait until nothing that was started is still at work."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def stop(self) -> None:
        """Leave what is in progress to the next start."""
        await self.loop.stop()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: Key, _: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)

    async def _settle(self, version: FunctionVersion) -> None:
        try:
            _, why = await asyncio.gather(self._desk.clock.pause(self._settle_s), self._damage(version))
            await self._desk.commit(lambda transaction: self._write(transaction, version, why))
        except Exception:
            # It stays in progress; the loop takes it up again at its next look.
            log.exception("%s could not be settled, will try again", version.arn)

    async def _damage(self, version: FunctionVersion) -> str | None:
        try:
            await self._desk.artifacts.unpacked(version.code_sha256)
        except (DamagedPackageError, PackageError) as error:
            log.exception("the code of %s cannot be used", version.arn)
            return f"The code package cannot be used: {error}. Upload it again with UpdateFunctionCode."
        try:
            await self._desk.artifacts.layers(version.layer_codes)
        except (DamagedPackageError, PackageError) as error:
            log.exception("the layers of %s cannot be used", version.arn)
            return f"The layers cannot be used: {error}. Choose others with UpdateFunctionConfiguration."
        return None

    def _write(self, transaction: Transaction, seen: FunctionVersion, why: str | None) -> None:
        current = read_version(transaction.connection, seen.scope, seen.name, seen.version)
        if current is None or current.revision_id != seen.revision_id or current.is_settled:
            return  # deleted, or deleted and made anew, while we worked
        settled = after(current, Happening.DAMAGED if why else Happening.SETTLED, why)
        write_version(transaction.connection, settled)
        self._desk.route(transaction, settled)
        self._desk.changed(transaction, settled.scope, settled.name)


class Sweeper:
    """Removes packages and unpacked files that no version of a function or layer names."""

    def __init__(self, desk: Desk) -> None:
        """Nothing runs until `loop.start()`."""
        self._desk = desk
        self.loop = Loop("registry-sweep", self.step, desk.clock, SWEEP_EVERY_S, floor_s=SWEEP_FLOOR_S)

    async def step(self) -> None:
        """One sweep."""
        await self._desk.artifacts.sweep(lambda: self._desk.store.read(in_use))


def in_use(connection: Connection) -> InUse:
    """What must stay. Layers that a function uses do, even when the layer's version is deleted."""
    codes, rows = read_code_names(connection)
    return InUse(codes | read_layer_codes(connection) | {code for row in rows for code in row}, rows)
