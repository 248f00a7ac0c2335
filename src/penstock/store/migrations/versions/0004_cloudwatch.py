"""Schema 0004: metrics and alarms. Rule: released migrations are never edited."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
