"""Who may sign requests: a key pair, and the identity behind an access key. Values only, no I/O."""

from dataclasses import dataclass, field

from penstock.core.context import Principal


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A long-lived access key and the user who owns it."""

    access_key: str
    secret_key: str = field(repr=False)
    principal: Principal


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials. Nothing of it is stored: the token carries all of it, sealed."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    principal: Principal
    account: str
    expires_at: float
    """Real time, epoch seconds: what `clock.real()` shows, never scaled."""
