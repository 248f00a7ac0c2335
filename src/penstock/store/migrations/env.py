"""Alembic's entry point: runs the migrations on the database that `migrate` names, each in its own transaction."""

from typing import Any

import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(f"sqlite:///{context.config.attributes['database']}", poolclass=sa.NullPool)


@sa.event.listens_for(engine, "connect")
def _configure(driver: Any, _: Any) -> None:
    driver.isolation_level = None
    driver.execute("PRAGMA journal_mode = WAL")


@sa.event.listens_for(engine, "begin")
def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
