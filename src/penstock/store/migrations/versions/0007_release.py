"""Schema 0007: deployments and markers. Rule: released migrations are never edited."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
