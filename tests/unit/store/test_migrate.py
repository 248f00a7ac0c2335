"""Migrations: a new directory gets the head schema, a second start does nothing, a newer schema is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from penstock.core.errors import StartupError
from penstock.store.migrate import current_revision, head_revision, migrate


def test_a_new_database_gets_the_head_schema(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    assert current_revision(path) is None
    migrate(path)
    assert current_revision(path) == head_revision()
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StartupError, match=r"9999.*newer Penstock"):
        migrate(path)
    assert current_revision(path) == "9999"
