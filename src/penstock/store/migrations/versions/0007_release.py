"""Schema 0007: deployments and markers. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _keys(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String, primary_key=True) for name in ("account", "region", *names)]


def upgrade() -> None:
    """Create the tables."""
    _catalog()
    _deployments()
    _markers()


def _catalog() -> None:
    op.create_table(
        "release_applications",
        *_keys("name"),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "release_groups",
        *_keys("application", "name"),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("config", sa.String, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "release_configs",
        *_keys("name"),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
    )
    op.create_table("release_tags", *_keys("arn", "key"), sa.Column("value", sa.String, nullable=False))


def _deployments() -> None:
    op.create_table(
        "deployments",
        *_keys("id"),
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
    )
    op.create_index("deployments_group", "deployments", ["account", "region", "group_id", "created_at"])


def _markers() -> None:
    op.create_table(
        "markers",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("component", sa.String, nullable=False),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("alias", sa.String),
        sa.Column("name", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("markers_time", "markers", ["account", "region", "opened_at"])
    op.create_index("markers_component", "markers", ["account", "region", "component", "alias"])
