"""The tables of applications, groups, configurations and their tags. Rule: SQL only, nothing is decided here."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.release.catalog.model import Application, Config, Group
from penstock.release.encoding import decoded, encoded
from penstock.store.database import METADATA, Connection


def _keys(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String, primary_key=True) for name in ("account", "region", *names)]


APPLICATIONS = sa.Table(
    "release_applications",
    METADATA,
    *_keys("name"),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)
GROUPS = sa.Table(
    "release_groups",
    METADATA,
    *_keys("application", "name"),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("config", sa.String, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
CONFIGS = sa.Table(
    "release_configs",
    METADATA,
    *_keys("name"),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("plan", sa.JSON, nullable=False),
)
TAGS = sa.Table("release_tags", METADATA, *_keys("arn", "key"), sa.Column("value", sa.String, nullable=False))


def _in(table: sa.Table, scope: Scope, **keys: str) -> sa.ColumnElement[bool]:
    wanted = {"account": scope.account, "region": scope.region, **keys}
    return sa.and_(*(table.c[name] == value for name, value in wanted.items()))


def _owner(scope: Scope) -> dict[str, str]:
    return {"account": scope.account, "region": scope.region}


# Applications


def read_application(connection: Connection, scope: Scope, name: str) -> Application | None:
    """One application."""
    row = connection.execute(sa.select(APPLICATIONS).where(_in(APPLICATIONS, scope, name=name))).mappings()
    return next((_application(found) for found in row), None)


def read_applications(connection: Connection, scope: Scope) -> list[Application]:
    """All of them, by name."""
    query = sa.select(APPLICATIONS).where(_in(APPLICATIONS, scope)).order_by(APPLICATIONS.c.name)
    return [_application(row) for row in connection.execute(query).mappings()]


def insert_application(connection: Connection, application: Application) -> None:
    """Write a new application."""
    values = {"name": application.name, "id": application.id, "created_at": application.created_at}
    connection.execute(sa.insert(APPLICATIONS).values(**_owner(application.scope), **values))


def rename_application(connection: Connection, scope: Scope, old: str, new: str) -> None:
    """The application and the name its groups know it by."""
    connection.execute(sa.update(APPLICATIONS).where(_in(APPLICATIONS, scope, name=old)).values(name=new))
    connection.execute(sa.update(GROUPS).where(_in(GROUPS, scope, application=old)).values(application=new))


def delete_application(connection: Connection, scope: Scope, name: str) -> None:
    """The application and its groups."""
    connection.execute(sa.delete(APPLICATIONS).where(_in(APPLICATIONS, scope, name=name)))
    connection.execute(sa.delete(GROUPS).where(_in(GROUPS, scope, application=name)))


def _application(row: Mapping[Any, Any]) -> Application:
    return Application(Scope(row["account"], row["region"]), row["name"], row["id"], row["created_at"])


# Groups


def read_group(connection: Connection, scope: Scope, application: str, name: str) -> Group | None:
    """One group."""
    condition = _in(GROUPS, scope, application=application, name=name)
    rows = connection.execute(sa.select(GROUPS).where(condition)).mappings()
    return next((_group(row) for row in rows), None)


def read_groups(connection: Connection, scope: Scope, application: str) -> list[Group]:
    """The application's groups, by name."""
    query = sa.select(GROUPS).where(_in(GROUPS, scope, application=application)).order_by(GROUPS.c.name)
    return [_group(row) for row in connection.execute(query).mappings()]


def read_groups_using(connection: Connection, scope: Scope, config: str) -> list[Group]:
    """The groups that deploy with this configuration."""
    query = sa.select(GROUPS).where(_in(GROUPS, scope, config=config))
    return [_group(row) for row in connection.execute(query).mappings()]


def write_group(connection: Connection, group: Group) -> None:
    """Insert, or replace the group of the same id (its name may have changed)."""
    connection.execute(sa.delete(GROUPS).where(_in(GROUPS, group.scope, id=group.id)))
    body = {key: value for key, value in encoded(asdict(group)).items() if key not in _GROUP_COLUMNS}
    values = {"application": group.application, "name": group.name, "id": group.id, "config": group.config}
    connection.execute(sa.insert(GROUPS).values(**_owner(group.scope), **values, body=body))


def delete_group(connection: Connection, scope: Scope, application: str, name: str) -> None:
    """Remove one group; its deployments stay on record."""
    connection.execute(sa.delete(GROUPS).where(_in(GROUPS, scope, application=application, name=name)))


_GROUP_COLUMNS = ("scope", "application", "name", "id", "config")


def _group(row: Mapping[Any, Any]) -> Group:
    columns = {name: row[name] for name in _GROUP_COLUMNS if name != "scope"}
    return decoded(Group, {**row["body"], **columns, "scope": {"account": row["account"], "region": row["region"]}})


# Configurations


def read_config(connection: Connection, scope: Scope, name: str) -> Config | None:
    """One custom configuration."""
    rows = connection.execute(sa.select(CONFIGS).where(_in(CONFIGS, scope, name=name))).mappings()
    return next((_config(row) for row in rows), None)


def read_configs(connection: Connection, scope: Scope) -> list[Config]:
    """The custom configurations, by name."""
    query = sa.select(CONFIGS).where(_in(CONFIGS, scope)).order_by(CONFIGS.c.name)
    return [_config(row) for row in connection.execute(query).mappings()]


def insert_config(connection: Connection, config: Config) -> None:
    """Write a new configuration."""
    values = {"name": config.name, "id": config.id, "created_at": config.created_at}
    plan = encoded(asdict(config.plan))
    connection.execute(sa.insert(CONFIGS).values(**_owner(config.scope), **values, plan=plan))


def delete_config(connection: Connection, scope: Scope, name: str) -> None:
    """Remove one configuration."""
    connection.execute(sa.delete(CONFIGS).where(_in(CONFIGS, scope, name=name)))


def _config(row: Mapping[Any, Any]) -> Config:
    members = {name: row[name] for name in ("name", "id", "created_at", "plan")}
    return decoded(Config, {**members, "scope": {"account": row["account"], "region": row["region"]}})


# Tags


def read_tags(connection: Connection, scope: Scope, arn: str) -> dict[str, str]:
    """The resource's tags, by key."""
    rows = connection.execute(sa.select(TAGS).where(_in(TAGS, scope, arn=arn)).order_by(TAGS.c.key))
    return {row.key: row.value for row in rows}


def write_tags(connection: Connection, scope: Scope, arn: str, tags: Mapping[str, str]) -> None:
    """Replace all tags of the resource."""
    connection.execute(sa.delete(TAGS).where(_in(TAGS, scope, arn=arn)))
    rows = [{**_owner(scope), "arn": arn, "key": key, "value": value} for key, value in tags.items()]
    if rows:
        connection.execute(sa.insert(TAGS), rows)


def move_tags(connection: Connection, scope: Scope, old: str, new: str) -> None:
    """A renamed resource keeps its tags."""
    connection.execute(sa.update(TAGS).where(_in(TAGS, scope, arn=old)).values(arn=new))
