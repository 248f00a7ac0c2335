"""What the registry needs from rooms above or beside it. Rule: small protocols, filled in by app.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from penstock.core.context import Scope
from penstock.registry.model import ProvisionedConfig, Warmth
from penstock.store.database import Connection


@dataclass(frozen=True, slots=True)
class Change:
    """Something that really changed, told in the same transaction that changes it; release/ makes it a marker."""

    scope: Scope
    component: str
    """`lambda/orders`, `layer/pillow`, `stack/shop`."""
    action: str
    """A short verb phrase in kebab case: `alias-moved`, `weights-shifted`, `configuration-changed`, `code-updated`,
    `version-published`, `function-created`, `function-deleted`, `alias-created`, `alias-deleted`, `concurrency-set`."""
    at: float
    by: str
    """The caller's ARN."""
    target_version: str | None = None
    previous_version: str | None = None
    alias: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    """What exactly: old and new weights, the changed settings' names (never secret values)."""


class ChangeLog(Protocol):
    """The timeline, as the registry sees it. Implemented by release/markers."""

    def record(self, connection: Connection, change: Change) -> None:
        """Write the change's marker on the caller's transaction."""


class AliasGuard(Protocol):
    """Who may move an alias by hand. Implemented by release/ (guards), permissive by default."""

    def check(self, connection: Connection, scope: Scope, function: str, alias: str) -> None:
        """Return, or raise `ApiError` naming the safe road."""


class Thermometer(Protocol):
    """How many environments stand ready. Implemented by execution/."""

    def warmth(self, config: ProvisionedConfig) -> Warmth:
        """What there is for this configuration now; touches memory only."""


class ObjectStore(Protocol):
    """Where packages named by `S3Bucket` and `S3Key` come from. Optional: without one such requests are refused."""

    async def read(self, scope: Scope, bucket: str, key: str, version_id: str | None) -> bytes:
        """The object's bytes; raises `ApiError` when there is none or it may not be read."""


class Cipher(Protocol):
    """Encrypts environment variables at rest. Implemented by identity/."""

    def encrypt(self, plain: bytes, purpose: str) -> bytes:
        """Sealed bytes; `purpose` (the function's ARN) is authenticated along."""

    def decrypt(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed; raises `ValueError` when it was tampered with or the purpose differs."""
