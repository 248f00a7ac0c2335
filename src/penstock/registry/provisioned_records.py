"""The table of provisioned concurrency and the SQL over it. Rule: takes and returns values of `model.py`.

Only what a user asked for is stored: what stands ready is asked of execution, so that it is never a stale promise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.registry.model import ProvisionedConfig
from penstock.store.database import METADATA, Connection

PROVISIONED = sa.Table(
    "function_provisioned",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("function", sa.String, primary_key=True),
    sa.Column("qualifier", sa.String, primary_key=True),
    sa.Column("requested", sa.Integer, nullable=False),
    sa.Column("modified_at", sa.Float, nullable=False),
)


def read_provisioned(
    connection: Connection, scope: Scope | None = None, function: str | None = None
) -> list[ProvisionedConfig]:
    """The configurations of a function, of a scope, or all of them, by function and qualifier."""
    query = sa.select(PROVISIONED).order_by(PROVISIONED.c.function, PROVISIONED.c.qualifier)
    if scope:
        query = query.where(PROVISIONED.c.account == scope.account, PROVISIONED.c.region == scope.region)
    if function is not None:
        query = query.where(PROVISIONED.c.function == function)
    return [_config(row) for row in connection.execute(query).mappings()]


def write_provisioned(connection: Connection, config: ProvisionedConfig) -> None:
    """Insert or replace."""
    delete_provisioned(connection, config.scope, config.function, [config.qualifier])
    connection.execute(
        sa.insert(PROVISIONED).values(
            account=config.scope.account,
            region=config.scope.region,
            function=config.function,
            qualifier=config.qualifier,
            requested=config.requested,
            modified_at=config.modified_at,
        )
    )


def delete_provisioned(
    connection: Connection, scope: Scope, function: str, qualifiers: Sequence[str] | None = None
) -> None:
    """Remove the configurations of these qualifiers, or all of the function's."""
    table = PROVISIONED.c
    query = sa.delete(PROVISIONED).where(
        table.account == scope.account, table.region == scope.region, table.function == function
    )
    connection.execute(query if qualifiers is None else query.where(table.qualifier.in_(qualifiers)))


def _config(row: Mapping[Any, Any]) -> ProvisionedConfig:
    members = {name: row[name] for name in ("function", "qualifier", "requested", "modified_at")}
    return ProvisionedConfig(scope=Scope(row["account"], row["region"]), **members)
