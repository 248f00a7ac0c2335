"""Schema 0005: functions, versions and aliases. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "functions",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.Column("reserved_concurrency", sa.Integer),
        sa.Column("tags", sa.JSON, nullable=False),
    )
    op.create_table(
        "function_versions",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
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
    )
    op.create_index("function_versions_unsettled", "function_versions", ["settled"])
    op.create_index("function_versions_code", "function_versions", ["code_sha256"])
    op.create_table(
        "function_aliases",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("function", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("revision_id", sa.String, nullable=False),
    )
    op.create_table(
        "function_policies",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("function", sa.String, primary_key=True),
        sa.Column("qualifier", sa.String, primary_key=True),
        sa.Column("revision_id", sa.String, nullable=False),
        sa.Column("statements", sa.JSON, nullable=False),
    )
