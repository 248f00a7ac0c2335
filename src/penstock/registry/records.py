"""The registry's tables and the SQL over them. Rule: takes and returns values of `model.py`, decides nothing.

Environment variables are read and written as they lie at rest; `environment.py` seals and opens them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.registry.model import LATEST, Alias, Function, FunctionVersion, Policy, State, UpdateStatus, UsedLayer
from penstock.store.database import METADATA, Connection

OWNER = ("account", "region")


def _keys(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String, primary_key=True) for name in (*OWNER, *names)]


FUNCTIONS = sa.Table(
    "functions",
    METADATA,
    *_keys("name"),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("last_version", sa.Integer, nullable=False),
    sa.Column("reserved_concurrency", sa.Integer),
    sa.Column("tags", sa.JSON, nullable=False),
)

VERSIONS = sa.Table(
    "function_versions",
    METADATA,
    *_keys("name"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 0 is $LATEST
    sa.Column("code_sha256", sa.String, nullable=False),
    sa.Column("code_size", sa.Integer, nullable=False),
    sa.Column("revision_id", sa.String, nullable=False),
    sa.Column("last_modified_at", sa.Float, nullable=False),
    sa.Column("sealed_environment", sa.LargeBinary),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("state_reason", sa.String),
    sa.Column("state_reason_code", sa.String),
    sa.Column("update_status", sa.String),
    sa.Column("update_reason", sa.String),
    sa.Column("update_reason_code", sa.String),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("layer_codes", sa.String),  # the SHA-256s of its layers, base first, with blanks between
    sa.Index("function_versions_unsettled", "settled"),
    sa.Index("function_versions_code", "code_sha256"),
)

ALIASES = sa.Table(
    "function_aliases",
    METADATA,
    *_keys("function", "name"),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("weights", sa.JSON, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("revision_id", sa.String, nullable=False),
)

POLICIES = sa.Table(
    "function_policies",
    METADATA,
    *_keys("function", "qualifier"),
    sa.Column("revision_id", sa.String, nullable=False),
    sa.Column("statements", sa.JSON, nullable=False),
)

COLUMNS = frozenset(column.name for column in VERSIONS.columns)
DERIVED = frozenset({*OWNER, "number", "settings", "settled", "layer_codes"})
"""Columns that are no field of a version."""
SETTINGS = tuple(
    field.name
    for field in fields(FunctionVersion)
    if field.name not in COLUMNS | {"scope", "version", "environment", "environment_error"}
)
"""The members of a version kept together as JSON: nothing is ever searched by them."""


def _owned(table: sa.Table, scope: Scope, **keys: object) -> sa.ColumnElement[bool]:
    """The condition for rows of one scope and these key columns."""
    wanted: Mapping[str, object] = {"account": scope.account, "region": scope.region, **keys}
    return sa.and_(*(table.c[name] == value for name, value in wanted.items()))


# Functions


def read_function(connection: Connection, scope: Scope, name: str) -> Function | None:
    """The function, or None."""
    row = connection.execute(sa.select(FUNCTIONS).where(_owned(FUNCTIONS, scope, name=name))).mappings().one_or_none()
    return _function(row) if row else None


def read_functions(connection: Connection, scope: Scope | None = None) -> list[Function]:
    """The functions of one scope, or all of them, by name."""
    query = sa.select(FUNCTIONS).order_by(FUNCTIONS.c.name)
    if scope:
        query = query.where(_owned(FUNCTIONS, scope))
    return [_function(row) for row in connection.execute(query).mappings()]


def write_function(connection: Connection, function: Function) -> None:
    """Insert or replace."""
    connection.execute(sa.delete(FUNCTIONS).where(_owned(FUNCTIONS, function.scope, name=function.name)))
    connection.execute(
        sa.insert(FUNCTIONS).values(
            account=function.scope.account,
            region=function.scope.region,
            name=function.name,
            created_at=function.created_at,
            last_version=function.last_version,
            reserved_concurrency=function.reserved_concurrency,
            tags=dict(function.tags),
        )
    )


def delete_function(connection: Connection, scope: Scope, name: str) -> None:
    """Remove the function with its versions, aliases and policies."""
    connection.execute(sa.delete(FUNCTIONS).where(_owned(FUNCTIONS, scope, name=name)))
    connection.execute(sa.delete(VERSIONS).where(_owned(VERSIONS, scope, name=name)))
    connection.execute(sa.delete(ALIASES).where(_owned(ALIASES, scope, function=name)))
    connection.execute(sa.delete(POLICIES).where(_owned(POLICIES, scope, function=name)))


def _function(row: Mapping[Any, Any]) -> Function:
    return Function(
        scope=Scope(row["account"], row["region"]),
        name=row["name"],
        created_at=row["created_at"],
        last_version=row["last_version"],
        reserved_concurrency=row["reserved_concurrency"],
        tags=row["tags"],
    )


# Versions


def read_version(connection: Connection, scope: Scope, name: str, version: str) -> FunctionVersion | None:
    """One version (`"$LATEST"` or a number) without its environment variables opened, or None."""
    number = _number(version)
    if number is None:
        return None
    query = sa.select(VERSIONS).where(_owned(VERSIONS, scope, name=name, number=number))
    row = connection.execute(query).mappings().one_or_none()
    return _version(row) if row else None


def read_versions(
    connection: Connection, scope: Scope | None = None, name: str | None = None, *, latest_only: bool = False
) -> list[FunctionVersion]:
    """Versions by function name and number, `$LATEST` first."""
    query = sa.select(VERSIONS).order_by(VERSIONS.c.name, VERSIONS.c.number)
    if scope:
        query = query.where(_owned(VERSIONS, scope))
    if name is not None:
        query = query.where(VERSIONS.c.name == name)
    if latest_only:
        query = query.where(VERSIONS.c.number == 0)
    return [_version(row) for row in connection.execute(query).mappings()]


def read_newest_published(connection: Connection, scope: Scope, name: str) -> FunctionVersion | None:
    """The published version with the highest number that still exists."""
    owned = sa.and_(_owned(VERSIONS, scope, name=name), VERSIONS.c.number > 0)
    query = sa.select(VERSIONS).where(owned).order_by(VERSIONS.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return _version(row) if row else None


def read_unsettled(connection: Connection) -> list[FunctionVersion]:
    """Versions whose creation or update is in progress: the work of the reconcile loop."""
    return [
        _version(row) for row in connection.execute(sa.select(VERSIONS).where(VERSIONS.c.settled.is_(False))).mappings()
    ]


def read_code_names(connection: Connection) -> tuple[set[str], set[tuple[str, ...]]]:
    """The `code_sha256` of every version that exists, and every row of layers that one uses: what must stay."""
    codes = set(connection.execute(sa.select(VERSIONS.c.code_sha256).distinct()).scalars())
    used = sa.select(VERSIONS.c.layer_codes).where(VERSIONS.c.layer_codes.is_not(None)).distinct()
    return codes, {tuple(row.split()) for row in connection.execute(used).scalars()}


def write_version(connection: Connection, version: FunctionVersion) -> None:
    """Insert or replace. `environment` itself is not written, only `sealed_environment`."""
    delete_version(connection, version.scope, version.name, version.version)
    row = {name: getattr(version, name) for name in COLUMNS - DERIVED}
    connection.execute(
        sa.insert(VERSIONS).values(
            **row,
            account=version.scope.account,
            region=version.scope.region,
            number=_number(version.version),
            settled=version.is_settled,
            layer_codes=" ".join(version.layer_codes) or None,
            settings={name: _plain(getattr(version, name)) for name in SETTINGS},
        )
    )


def delete_version(connection: Connection, scope: Scope, name: str, version: str) -> None:
    """Remove one version."""
    connection.execute(sa.delete(VERSIONS).where(_owned(VERSIONS, scope, name=name, number=_number(version))))


def _number(version: str) -> int | None:
    if version == LATEST:
        return 0
    # A 20-digit number would not fit SQLite's integers; no version has one.
    return int(version) if version.isascii() and version.isdigit() and 0 < len(version) < 18 and int(version) else None


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _version(row: Mapping[Any, Any]) -> FunctionVersion:
    known = {name: row["settings"][name] for name in SETTINGS if name in row["settings"]}
    columns = {name: row[name] for name in COLUMNS - DERIVED}
    return FunctionVersion(
        **(
            known
            | columns
            | {
                "scope": Scope(row["account"], row["region"]),
                "version": str(row["number"]) if row["number"] else LATEST,
                "layers": tuple(UsedLayer(*layer) for layer in known.get("layers", ())),
                "state": State(row["state"]),
                "update_status": UpdateStatus(row["update_status"]) if row["update_status"] else None,
            }
        )
    )


# Aliases


def read_alias(connection: Connection, scope: Scope, function: str, name: str) -> Alias | None:
    """The alias, or None."""
    query = sa.select(ALIASES).where(_owned(ALIASES, scope, function=function, name=name))
    row = connection.execute(query).mappings().one_or_none()
    return _alias(row) if row else None


def read_aliases(connection: Connection, scope: Scope | None = None, function: str | None = None) -> list[Alias]:
    """Aliases by function and name."""
    query = sa.select(ALIASES).order_by(ALIASES.c.function, ALIASES.c.name)
    if scope:
        query = query.where(_owned(ALIASES, scope))
    if function is not None:
        query = query.where(ALIASES.c.function == function)
    return [_alias(row) for row in connection.execute(query).mappings()]


def write_alias(connection: Connection, alias: Alias) -> None:
    """Insert or replace."""
    delete_alias(connection, alias.scope, alias.function, alias.name)
    connection.execute(
        sa.insert(ALIASES).values(
            account=alias.scope.account,
            region=alias.scope.region,
            function=alias.function,
            name=alias.name,
            version=alias.version,
            weights=dict(alias.weights),
            description=alias.description,
            revision_id=alias.revision_id,
        )
    )


def delete_alias(connection: Connection, scope: Scope, function: str, name: str) -> None:
    """Remove the alias and its policy."""
    connection.execute(sa.delete(ALIASES).where(_owned(ALIASES, scope, function=function, name=name)))


def _alias(row: Mapping[Any, Any]) -> Alias:
    members = {name: row[name] for name in ("function", "name", "version", "weights", "description", "revision_id")}
    return Alias(scope=Scope(row["account"], row["region"]), **members)


# Policies


def read_policy(connection: Connection, scope: Scope, function: str, qualifier: str) -> Policy | None:
    """The policy of a qualifier (`""` for the unqualified function), or None when it has no statement."""
    query = sa.select(POLICIES).where(_owned(POLICIES, scope, function=function, qualifier=qualifier))
    row = connection.execute(query).mappings().one_or_none()
    if not row:
        return None
    return Policy(scope, function, qualifier, row["revision_id"], tuple(row["statements"]))


def write_policy(connection: Connection, policy: Policy) -> None:
    """Insert or replace; a policy without statements is removed."""
    delete_policies(connection, policy.scope, policy.function, [policy.qualifier])
    if policy.statements:
        connection.execute(
            sa.insert(POLICIES).values(
                account=policy.scope.account,
                region=policy.scope.region,
                function=policy.function,
                qualifier=policy.qualifier,
                revision_id=policy.revision_id,
                statements=[dict(statement) for statement in policy.statements],
            )
        )


def delete_policies(connection: Connection, scope: Scope, function: str, qualifiers: Sequence[str]) -> None:
    """Remove the policies of these qualifiers."""
    owned = _owned(POLICIES, scope, function=function)
    connection.execute(sa.delete(POLICIES).where(owned, POLICIES.c.qualifier.in_(qualifiers)))
