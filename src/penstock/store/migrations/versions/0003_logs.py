"""Schema 0003: log groups, streams and events. Rule: released migrations are never edited."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
