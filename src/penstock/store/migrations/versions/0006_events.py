"""Schema 0006: accepted asynchronous events. Rule: released migrations are never edited."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
