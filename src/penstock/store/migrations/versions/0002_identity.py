"""Schema 0002: accounts and keys. Rule: released migrations are never edited."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
