"""Schema 0005: functions, versions and aliases. Rule: released migrations are never edited."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
