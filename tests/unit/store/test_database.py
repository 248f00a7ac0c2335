"""The store's promises: all or nothing for each write, one commit for many, errors to the right caller."""

import asyncio

import pytest

from penstock.store.database import SqliteStore
from penstock.store.facts import read_fact, write_fact


def test_a_write_that_raises_leaves_nothing_and_harms_no_neighbour(store: SqliteStore) -> None:
    def bad(connection):
        write_fact(connection, "bad", 1)
        raise ValueError("refused")

    async def scenario():
        writes = [store.write(lambda c, n=n: write_fact(c, f"good-{n}", n)) for n in range(50)]
        return await asyncio.gather(*writes[:25], store.write(bad), *writes[25:], return_exceptions=True)

    results = asyncio.run(scenario())
    assert [type(r) for r in results if r is not None] == [ValueError]
    assert store.read_now(lambda c: [read_fact(c, f"good-{n}") for n in range(50)]) == list(range(50))
    assert store.read_now(lambda c: read_fact(c, "bad")) is None


def test_a_cancelled_caller_does_not_undo_its_write(store: SqliteStore) -> None:
    async def scenario():
        task = asyncio.ensure_future(store.write(lambda c: write_fact(c, "kept", True)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.write(lambda _: None)  # behind it in the queue, so it has run by now

    asyncio.run(scenario())
    assert store.read_now(lambda c: read_fact(c, "kept")) is True


def test_a_reader_cannot_see_half_a_write(store: SqliteStore) -> None:
    seen = []

    def write_two(connection):
        write_fact(connection, "one", 1)
        seen.append(store.read_now(lambda c: read_fact(c, "one")))
        write_fact(connection, "two", 2)

    store.write_now(write_two)
    assert seen == [None]
    assert store.read_now(lambda c: (read_fact(c, "one"), read_fact(c, "two"))) == (1, 2)


def test_a_closed_store_refuses_instead_of_forgetting(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.write_now(lambda _: None)
