"""Schema 0003: log groups, streams and events. Rule: released migrations are never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "log_groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("retention_days", sa.Integer),
        sa.Column("kms_key_id", sa.String),
        sa.Column("log_class", sa.String, nullable=False),
        sa.Column("deletion_protection", sa.Boolean, nullable=False),
        sa.Column("stored_bytes", sa.BigInteger, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.UniqueConstraint("account", "region", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_streams",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("first_ms", sa.BigInteger),
        sa.Column("last_ms", sa.BigInteger),
        sa.Column("ingested_ms", sa.BigInteger),
        sa.UniqueConstraint("group_id", "name"),
        sqlite_autoincrement=True,
    )
    op.create_index("log_streams_by_last_event", "log_streams", ["group_id", "last_ms"])
    op.create_table(
        "log_chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("stream_id", sa.Integer, nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("ingested_ms", sa.BigInteger, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("log_chunks_of_group", "log_chunks", ["group_id", "first_ms"])
    op.create_index("log_chunks_of_group_back", "log_chunks", ["group_id", "last_ms"])
    op.create_index("log_chunks_of_stream", "log_chunks", ["stream_id", "first_ms"])
    op.create_index("log_chunks_of_stream_back", "log_chunks", ["stream_id", "last_ms"])
    op.create_table(
        "log_trash",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("stream_id", sa.Integer),
    )
