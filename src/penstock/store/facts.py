"""Small facts about a data directory (its clock's anchor, its account). Rule: one row a fact, JSON inside."""

from typing import Any

import sqlalchemy as sa

from penstock.store.database import METADATA, Connection

FACTS = sa.Table(
    "facts",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)


def read_fact(connection: Connection, name: str) -> Any:
    """The fact's value, or None when it was never written."""
    return connection.execute(sa.select(FACTS.c.value).where(FACTS.c.name == name)).scalar()


def write_fact(connection: Connection, name: str, value: Any) -> None:
    """Set the fact, whether or not it was there."""
    connection.execute(sa.delete(FACTS).where(FACTS.c.name == name))
    connection.execute(sa.insert(FACTS).values(name=name, value=value))
