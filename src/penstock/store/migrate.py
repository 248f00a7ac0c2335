"""Brings a data directory's database to this program's schema. Rule: never touch a schema newer than we know.

Alembic is imported only when there is something to migrate: it would cost a tenth of a second at every start.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from penstock.core.errors import StartupError

MIGRATIONS = Path(__file__).parent / "migrations"


def head_revision() -> str:
    """The newest schema this program knows: files are named `NNNN_what.py` and their revision is `NNNN`."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def current_revision(database: Path) -> str | None:
    """The schema a database has, or None when it is new."""
    if not database.exists():
        return None
    with closing(sqlite3.connect(database)) as connection:
        known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else None


def migrate(database: Path) -> None:
    """Create or upgrade `database`. Raises `StartupError` when it was written by a newer Penstock."""
    current, head = current_revision(database), head_revision()
    if current == head:
        return
    if current is not None and current > head:
        raise StartupError(
            f"{database} has schema {current}, this Penstock knows up to {head}: a newer Penstock wrote it. "
            "Run that version again, or choose another directory with --data."
        )
    _upgrade(database, head)


def _upgrade(database: Path, head: str) -> None:
    import alembic.command  # noqa: PLC0415 - see the module's first lines
    import alembic.config  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database"] = database
    alembic.command.upgrade(config, head)
