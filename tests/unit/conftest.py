"""Fixtures every unit test may use: a migrated store, a clock moved by hand, repeatable dice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.core.clock import MockClock
from penstock.core.context import Scope
from penstock.core.dice import SeededDice
from penstock.store.database import SqliteStore
from penstock.store.migrate import migrate


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database at the head schema, as bytes to copy: migrating once a session keeps the suite fast."""
    path = tmp_path_factory.mktemp("schema") / "head.db"
    migrate(path)
    return path.read_bytes()


@pytest.fixture
def store(tmp_path: Path, migrated: bytes) -> Iterator[SqliteStore]:
    path = tmp_path / "penstock.db"
    path.write_bytes(migrated)
    store = SqliteStore(path, durable=False)
    yield store
    store.close()


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


@pytest.fixture
def dice() -> SeededDice:
    return SeededDice(7)


@pytest.fixture
def scope() -> Scope:
    return Scope("000000000000", "us-east-1")
