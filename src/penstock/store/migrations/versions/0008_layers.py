"""Schema 0008: layers, and which ones a function's version uses. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "layers",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "layer_versions",
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
    )
    op.create_index("layer_versions_code", "layer_versions", ["code_sha256"])
    op.add_column("function_versions", sa.Column("layer_codes", sa.String))
