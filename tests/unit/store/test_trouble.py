"""A disk that refuses: callers hear why, the log has one line, nothing remains, and writing goes on when it can."""

import asyncio
import logging
import sqlite3

import pytest
import sqlalchemy as sa

from penstock.core.clock import SystemClock
from penstock.core.errors import StoreUnavailableError
from penstock.store.database import SqliteStore
from penstock.store.facts import read_fact, write_fact
from penstock.store.patience import write_patiently
from penstock.store.trouble import told_apart


def fill(connection) -> None:
    """The writer's connection from here on finds its disk full."""
    connection.exec_driver_sql("PRAGMA max_page_count = 1")


def make_room(connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


def write_much(connection) -> None:
    write_fact(connection, "much", "x" * 1_000_000)


def test_a_full_disk_is_told_in_words_and_once(store: SqliteStore, caplog) -> None:
    store.write_now(fill)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="its disk is full"):
            store.write_now(write_much)
    assert store.read_now(lambda c: read_fact(c, "much")) is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    store.write_now(make_room)
    store.write_now(write_much)
    assert len(store.read_now(lambda c: read_fact(c, "much"))) == 1_000_000
    assert "can be written to again" in caplog.records[-1].message
    assert len(caplog.records) == 2


def test_a_neighbour_in_the_same_commit_is_not_told_a_lie(store: SqliteStore) -> None:
    """Whoever heard nothing bad finds his write; whoever heard of the disk does not."""
    store.write_now(fill)

    async def scenario():
        small = [store.write(lambda c, n=n: write_fact(c, f"small-{n}", n)) for n in range(20)]
        return await asyncio.gather(*small[:10], store.write(write_much), *small[10:], return_exceptions=True)

    results = asyncio.run(scenario())
    told = results[:10] + results[11:]
    lost = {n for n, result in enumerate(told) if result is not None}
    found = {n for n in range(20) if store.read_now(lambda c, n=n: read_fact(c, f"small-{n}")) is not None}
    assert isinstance(results[10], StoreUnavailableError)
    assert found == set(range(20)) - lost


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SQLITE_FULL", "disk is full"),
        ("SQLITE_READONLY_DBMOVED", "read-only"),
        ("SQLITE_IOERR_WRITE", "reports errors"),
        ("SQLITE_CANTOPEN", "cannot be opened"),
    ],
)
def test_what_the_disk_is_to_blame_for(name: str, words: str) -> None:
    cause = sqlite3.OperationalError("no")
    cause.sqlite_errorname = name
    told = told_apart(sa.exc.OperationalError("insert", {}, cause))
    assert isinstance(told, StoreUnavailableError)
    assert words in str(told)


@pytest.mark.parametrize("error", [ValueError("x"), sa.exc.IntegrityError("i", {}, sqlite3.IntegrityError("unique"))])
def test_what_it_is_not_to_blame_for(error: Exception) -> None:
    assert told_apart(error) is error


def test_patience_writes_once_it_can(store: SqliteStore, clock) -> None:
    async def scenario():
        await store.write(fill)
        writing = asyncio.create_task(write_patiently(store, clock, write_much))
        for _ in range(20):
            await clock.advance(1.0)
            await asyncio.to_thread(lambda: None)  # lets the writer's thread have its turn
        assert not writing.done()
        # Not `store.write`: it might share the commit of an attempt, and its fate.
        await write_patiently(store, SystemClock(), make_room)
        while not writing.done():
            await clock.advance(1.0)
            await asyncio.to_thread(lambda: None)  # lets the writer's thread have its turn
        await writing

    asyncio.run(scenario())
    assert store.read_now(lambda c: read_fact(c, "much"))
