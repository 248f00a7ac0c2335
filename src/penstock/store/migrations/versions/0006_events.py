"""Schema 0006: accepted asynchronous events. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "async_events",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("function", sa.String, nullable=False),
        sa.Column("qualifier", sa.String),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("invoked_arn", sa.String, nullable=False),
        sa.Column("client_context", sa.String),
        sa.Column("trace_header", sa.String),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("last_error", sa.String),
    )
    op.create_index("async_events_due", "async_events", ["state", "next_at"])
