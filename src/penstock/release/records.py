"""The deployments' table. Rule: every write names the revision it saw, and the database itself holds that no two
active deployments share a group or an alias.

`application` and `group_name` are columns alone (not in the body), so that renaming either is one statement.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.release.encoding import decoded, encoded
from penstock.release.model import Deployment, DeploymentStatus
from penstock.store.database import METADATA, Connection

DEPLOYMENTS = sa.Table(
    "deployments",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("application", sa.String, nullable=False),
    sa.Column("group_name", sa.String, nullable=False),
    sa.Column("group_id", sa.String, nullable=False),
    sa.Column("function", sa.String, nullable=False),
    sa.Column("alias", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("completed_at", sa.Float),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("active_group", sa.String, unique=True),
    sa.Column("active_alias", sa.String, unique=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("deployments_group", "account", "region", "group_id", "created_at"),
)
IN_COLUMNS = ("scope", "id", "application", "group", "group_id", "status", "created_at", "completed_at", "revision")


class StaleDeploymentError(Exception):
    """The deployment changed since it was read; read it again and decide again."""


def insert_deployment(connection: Connection, deployment: Deployment) -> None:
    """Write a new deployment. Raises `sqlalchemy.exc.IntegrityError` when its group or alias is taken."""
    owner = {"account": deployment.scope.account, "region": deployment.scope.region, "id": deployment.id}
    connection.execute(sa.insert(DEPLOYMENTS).values(**owner, **_row(deployment)))


def save_deployment(connection: Connection, deployment: Deployment) -> Deployment:
    """Write a change of the deployment as it was read; gives it with its next revision.

    Raises `StaleDeploymentError` when it is no longer at the revision it was read at.
    """
    saved = replace(deployment, revision=deployment.revision + 1)
    condition = sa.and_(_is(deployment.scope, deployment.id), DEPLOYMENTS.c.revision == deployment.revision)
    row = {key: value for key, value in _row(saved).items() if key not in ("application", "group_name")}
    if not connection.execute(sa.update(DEPLOYMENTS).where(condition).values(**row)).rowcount:
        raise StaleDeploymentError(f"{deployment.id} is not at revision {deployment.revision} any more")
    return saved


def read_deployment(connection: Connection, scope: Scope, deployment_id: str) -> Deployment | None:
    """One deployment."""
    row = connection.execute(sa.select(DEPLOYMENTS).where(_is(scope, deployment_id))).mappings().one_or_none()
    return _deployment(row) if row else None


def read_active_ids(connection: Connection) -> list[tuple[Scope, str]]:
    """Every deployment the tick must look at, of all accounts, oldest first."""
    query = sa.select(DEPLOYMENTS.c.account, DEPLOYMENTS.c.region, DEPLOYMENTS.c.id)
    query = query.where(DEPLOYMENTS.c.active_alias.is_not(None)).order_by(DEPLOYMENTS.c.created_at)
    return [(Scope(row.account, row.region), row.id) for row in connection.execute(query)]


def read_active_of_group(connection: Connection, scope: Scope, group_id: str) -> Deployment | None:
    """The group's deployment under way."""
    return _one(connection, DEPLOYMENTS.c.active_group == _group_key(scope, group_id))


def read_active_of_alias(connection: Connection, scope: Scope, function: str, alias: str) -> Deployment | None:
    """The deployment that moves this alias now, of whatever group."""
    return _one(connection, DEPLOYMENTS.c.active_alias == _alias_key(scope, function, alias))


def read_last_of_group(
    connection: Connection, scope: Scope, group_id: str, status: DeploymentStatus | None = None
) -> Deployment | None:
    """The group's newest deployment, or its newest in `status`."""
    query = _in(scope).where(DEPLOYMENTS.c.group_id == group_id)
    if status is not None:
        query = query.where(DEPLOYMENTS.c.status == status.value)
    query = query.order_by(DEPLOYMENTS.c.created_at.desc(), DEPLOYMENTS.c.id).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return _deployment(row) if row else None


def read_deployments(
    connection: Connection,
    scope: Scope,
    *,
    application: str | None = None,
    group: str | None = None,
    statuses: Iterable[str] = (),
    start: float | None = None,
    end: float | None = None,
) -> list[tuple[str, str]]:
    """A sort key (newest first) and the id of every deployment that fits, ordered by the key."""
    query = sa.select(DEPLOYMENTS.c.id, DEPLOYMENTS.c.created_at).where(*_owned(scope))
    wanted = tuple(statuses)
    filters = (
        (application is not None, DEPLOYMENTS.c.application == application),
        (group is not None, DEPLOYMENTS.c.group_name == group),
        (bool(wanted), DEPLOYMENTS.c.status.in_(wanted)),
        (start is not None, DEPLOYMENTS.c.created_at >= (start or 0.0)),
        (end is not None, DEPLOYMENTS.c.created_at <= (end or 0.0)),
    )
    query = query.where(*(condition for applies, condition in filters if applies))
    # The key grows as time goes back: a page token then stays right while newer deployments come in.
    return sorted((f"{1e11 - row.created_at:020.6f}/{row.id}", row.id) for row in connection.execute(query))


def rename_application(connection: Connection, scope: Scope, old: str, new: str) -> None:
    """Deployments follow their application's name."""
    change = sa.update(DEPLOYMENTS).where(*_owned(scope), DEPLOYMENTS.c.application == old)
    connection.execute(change.values(application=new))


def rename_group(connection: Connection, scope: Scope, group_id: str, new: str) -> None:
    """Deployments follow their group's name."""
    change = sa.update(DEPLOYMENTS).where(*_owned(scope), DEPLOYMENTS.c.group_id == group_id)
    connection.execute(change.values(group_name=new))


def uses_config(connection: Connection, scope: Scope, config: str) -> bool:
    """Whether an active deployment runs this configuration."""
    query = _in(scope).where(DEPLOYMENTS.c.active_alias.is_not(None))
    return any(row["body"]["config"] == config for row in connection.execute(query).mappings())


def _owned(scope: Scope) -> tuple[sa.ColumnElement[bool], ...]:
    return DEPLOYMENTS.c.account == scope.account, DEPLOYMENTS.c.region == scope.region


def _in(scope: Scope) -> sa.Select[Any]:
    return sa.select(DEPLOYMENTS).where(*_owned(scope))


def _is(scope: Scope, deployment_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(*_owned(scope), DEPLOYMENTS.c.id == deployment_id)


def _one(connection: Connection, condition: sa.ColumnElement[bool]) -> Deployment | None:
    row = connection.execute(sa.select(DEPLOYMENTS).where(condition)).mappings().one_or_none()
    return _deployment(row) if row else None


def _group_key(scope: Scope, group_id: str) -> str:
    return f"{scope.account}/{scope.region}/{group_id}"


def _alias_key(scope: Scope, function: str, alias: str) -> str:
    return f"{scope.account}/{scope.region}/{function}:{alias}"


def _row(deployment: Deployment) -> dict[str, Any]:
    scope, active = deployment.scope, deployment.is_active
    return {
        "application": deployment.application,
        "group_name": deployment.group,
        "group_id": deployment.group_id,
        "function": deployment.target.function,
        "alias": deployment.target.alias,
        "status": deployment.status.value,
        "created_at": deployment.created_at,
        "completed_at": deployment.completed_at,
        "revision": deployment.revision,
        "active_group": _group_key(scope, deployment.group_id) if active else None,
        "active_alias": _alias_key(scope, deployment.target.function, deployment.target.alias) if active else None,
        "body": {key: value for key, value in encoded(asdict(deployment)).items() if key not in IN_COLUMNS},
    }


def _deployment(row: Mapping[Any, Any]) -> Deployment:
    columns = {
        "scope": {"account": row["account"], "region": row["region"]},
        "group": row["group_name"],
        **{name: row[name] for name in IN_COLUMNS if name not in ("scope", "group")},
    }
    return decoded(Deployment, {**row["body"], **columns})
