"""Connections and transactions: one writer thread that groups commits, readers that never block it.

Rule: a use case passes one function to `write`, and everything that function does is one truth: committed durably
before `write` returns, or not at all. The function does SQL only: no I/O, no waiting.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from penstock.core.errors import StoreUnavailableError
from penstock.store.trouble import told_apart

log = logging.getLogger(__name__)
T = TypeVar("T")
Connection = sa.Connection

METADATA = sa.MetaData()
"""Every room's tables register here (in its `records.py`); migrations create them."""

WRITING = "penstock_writing"
GROUP_LIMIT = 256
"""At most this many writes share one commit, which bounds how long the first of them waits."""


class Store(Protocol):
    """What rooms depend on."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a durable transaction. When it raises, nothing it did remains and the error comes back."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent snapshot. It must not write."""


@dataclass(frozen=True, slots=True)
class _Write:
    work: Callable[[Connection], Any]
    done: concurrent.futures.Future[Any]


class SqliteStore:
    """SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives a power cut.

    All writes run in one thread, each inside a savepoint; those that wait at the same time share one commit, so many
    callers pay for one disk flush. Reads use a small pool of threads, each with its own connection and snapshot.
    """

    def __init__(self, path: Path, *, readers: int = 2, durable: bool = True):
        """Open `path`, which migrations have already brought to the current schema. `durable=False` is for tests."""
        self._engine = _engine(path, durable=durable)
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._readers = concurrent.futures.ThreadPoolExecutor(readers, thread_name_prefix="store-read")
        self._closed = False
        self._refusing = False
        self._writer = threading.Thread(target=self._write_forever, name="store-write", daemon=True)
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        # Shielded: a caller that goes away must not leave its work in doubt for others; the write runs to its end.
        return await asyncio.shield(asyncio.wrap_future(self._submit(work)))

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """The same as `write` for code outside the event loop (start-up, tests)."""
        return self._submit(work).result()

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """The same as `read` for code outside the event loop (start-up, tests)."""
        with self._engine.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Finish the writes already accepted, then close every connection."""
        if self._closed:
            return
        self._closed = True
        self._writes.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._engine.dispose()

    def _submit(self, work: Callable[[Connection], T]) -> concurrent.futures.Future[T]:
        if self._closed:
            raise RuntimeError("the store is closed: the server is stopping")
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._writes.put(_Write(work, done))
        return done

    def _write_forever(self) -> None:
        stopping = False
        while not stopping:
            group = [self._writes.get()]
            with contextlib.suppress(queue.Empty):
                while len(group) < GROUP_LIMIT:
                    group.append(self._writes.get_nowait())
            stopping = None in group
            self._commit([write for write in group if write is not None])

    def _commit(self, group: list[_Write]) -> None:
        if not group:
            return
        results: list[tuple[_Write, Any, BaseException | None]] = []
        try:
            with self._engine.connect().execution_options(**{WRITING: True}) as connection:
                results = [self._run(connection, write) for write in group]
                connection.commit()
        except Exception as error:  # noqa: BLE001 - handed to the callers, and told by `_tell`
            results = [(write, None, failed or error) for write, _, failed in results] or [
                (write, None, error) for write in group
            ]
        told = [(write, result, told_apart(failed) if failed else None) for write, result, failed in results]
        self._tell([failed for _, _, failed in told if failed])
        for write, result, failed in told:
            _finish(write.done, result, failed)

    def _tell(self, failures: list[BaseException]) -> None:
        """One line when the disk begins to refuse and one when it takes writes again, not one for each write."""
        refused = next((failed for failed in failures if isinstance(failed, StoreUnavailableError)), None)
        if refused and not self._refusing:
            log.error("%s What is due waits and is tried again.", refused)
        if self._refusing and not refused:
            log.warning("the data directory can be written to again")
        self._refusing = refused is not None

    @staticmethod
    def _run(connection: Connection, write: _Write) -> tuple[_Write, Any, BaseException | None]:
        savepoint = connection.begin_nested()
        try:
            result = write.work(connection)
        except Exception as error:  # noqa: BLE001 - handed to the caller, whose work is undone
            try:
                savepoint.rollback()
            except sa.exc.DBAPIError:
                # SQLite undid the whole transaction by itself (it does when the disk is full): so the group is lost,
                # and for this reason.
                raise error from None
            return write, None, error
        savepoint.commit()
        return write, result, None


def _finish(done: concurrent.futures.Future[Any], result: Any, failed: BaseException | None) -> None:
    # The waiter may have been cancelled meanwhile; its write stands, there is nobody to tell.
    with contextlib.suppress(concurrent.futures.InvalidStateError):
        if failed is None:
            done.set_result(result)
        else:
            done.set_exception(failed)


def _engine(path: Path, *, durable: bool) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        poolclass=sa.QueuePool,
        pool_size=8,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(driver: Any, _: Any) -> None:
        # sqlite3's own transaction handling would commit behind our back around savepoints.
        driver.isolation_level = None
        cursor = driver.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read transaction later could fail with SQLITE_BUSY half way.
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
