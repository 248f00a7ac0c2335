"""The tables of layers and the SQL over them. Rule: takes and returns values of `model.py`, decides nothing."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.registry.layers.model import LayerVersion
from penstock.store.database import METADATA, Connection

LAYERS = sa.Table(
    "layers",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("last_number", sa.Integer, nullable=False),  # stays when all versions are deleted
)

VERSIONS = sa.Table(
    "layer_versions",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code_sha256", sa.String, nullable=False),
    sa.Column("code_size", sa.Integer, nullable=False),
    sa.Column("unpacked_size", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("runtimes", sa.JSON, nullable=False),
    sa.Column("architectures", sa.JSON, nullable=False),
    sa.Column("license_info", sa.String),
    sa.Column("policy_revision_id", sa.String),
    sa.Column("statements", sa.JSON, nullable=False),
    sa.Index("layer_versions_code", "code_sha256"),
)
LISTS = ("runtimes", "architectures", "statements")


def take_number(connection: Connection, scope: Scope, name: str) -> int:
    """The next number of the layer, never given out before."""
    mine = sa.and_(LAYERS.c.account == scope.account, LAYERS.c.region == scope.region, LAYERS.c.name == name)
    last = connection.execute(sa.select(LAYERS.c.last_number).where(mine)).scalar_one_or_none()
    if last is None:
        first = {"account": scope.account, "region": scope.region, "name": name, "last_number": 1}
        connection.execute(sa.insert(LAYERS).values(first))
        return 1
    connection.execute(sa.update(LAYERS).where(mine).values(last_number=last + 1))
    return int(last) + 1


def read_layer_version(connection: Connection, scope: Scope, name: str, number: int) -> LayerVersion | None:
    """One version, or None."""
    if not 0 < number < 10**18:  # larger ones would not fit SQLite's integers; no version has one
        return None
    query = sa.select(VERSIONS).where(_is(scope, name, number))
    row = connection.execute(query).mappings().one_or_none()
    return _version(row) if row else None


def read_layer_versions(connection: Connection, scope: Scope, name: str | None = None) -> list[LayerVersion]:
    """Versions of one layer or of all, by name and then newest first."""
    query = sa.select(VERSIONS).where(VERSIONS.c.account == scope.account, VERSIONS.c.region == scope.region)
    if name is not None:
        query = query.where(VERSIONS.c.name == name)
    query = query.order_by(VERSIONS.c.name, VERSIONS.c.number.desc())
    return [_version(row) for row in connection.execute(query).mappings()]


def read_newest_number(connection: Connection, scope: Scope, name: str) -> int | None:
    """The highest number that still exists."""
    mine = sa.and_(VERSIONS.c.account == scope.account, VERSIONS.c.region == scope.region, VERSIONS.c.name == name)
    newest: int | None = connection.execute(sa.select(sa.func.max(VERSIONS.c.number)).where(mine)).scalar_one()
    return newest


def read_layer_codes(connection: Connection) -> set[str]:
    """The `code_sha256` of every layer's version: packages that must stay."""
    return set(connection.execute(sa.select(VERSIONS.c.code_sha256).distinct()).scalars())


def write_layer_version(connection: Connection, version: LayerVersion) -> None:
    """Insert or replace."""
    delete_layer_version(connection, version.scope, version.name, version.number)
    row = {
        name: getattr(version, name)
        for name in VERSIONS.columns.keys()  # noqa: SIM118 - a collection of columns, not a dict
        if name not in ("account", "region", *LISTS)
    }
    row |= {"account": version.scope.account, "region": version.scope.region}
    row |= {"runtimes": list(version.runtimes), "architectures": list(version.architectures)}
    connection.execute(sa.insert(VERSIONS).values(**row, statements=[dict(one) for one in version.statements]))


def delete_layer_version(connection: Connection, scope: Scope, name: str, number: int) -> None:
    """Remove one version; its number stays taken."""
    connection.execute(sa.delete(VERSIONS).where(_is(scope, name, number)))


def _is(scope: Scope, name: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        VERSIONS.c.account == scope.account,
        VERSIONS.c.region == scope.region,
        VERSIONS.c.name == name,
        VERSIONS.c.number == number,
    )


def _version(row: Mapping[Any, Any]) -> LayerVersion:
    scope = Scope(row["account"], row["region"])
    plain: dict[str, Any] = {name: value for name, value in row.items() if name not in ("account", "region", *LISTS)}
    return LayerVersion(**(plain | {name: tuple(row[name]) for name in LISTS} | {"scope": scope}))
