"""Schema 0009: provisioned concurrency. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "function_provisioned",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("function", sa.String, primary_key=True),
        sa.Column("qualifier", sa.String, primary_key=True),
        sa.Column("requested", sa.Integer, nullable=False),
        sa.Column("modified_at", sa.Float, nullable=False),
    )
