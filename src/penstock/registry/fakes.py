"""In-memory stand-ins for what the registry needs from other rooms. Rule: they pass the tests of the real thing."""

import base64

from penstock.core.context import Scope
from penstock.registry.model import ProvisionedConfig, Warmth
from penstock.registry.ports import Change
from penstock.store.database import Connection


class RecordedChanges:
    """A `ChangeLog` that remembers. It sees refused transactions too: it does not know of their rollback."""

    def __init__(self) -> None:
        """Nothing recorded yet."""
        self.changes: list[Change] = []

    def record(self, connection: Connection, change: Change) -> None:  # noqa: ARG002 - the port's shape
        self.changes.append(change)


class OpenGuard:
    """An `AliasGuard` that lets everyone through."""

    def check(self, connection: Connection, scope: Scope, function: str, alias: str) -> None:
        """Nothing is guarded."""


class Cold:
    """A `Thermometer` of a server on which nothing ever gets warm."""

    def warmth(self, config: ProvisionedConfig) -> Warmth:  # noqa: ARG002 - the port's shape
        return Warmth()


class PlainCipher:
    """A `Cipher` that hides nothing but does notice a wrong purpose."""

    def encrypt(self, plain: bytes, purpose: str) -> bytes:
        return purpose.encode() + b"\0" + base64.b64encode(plain)

    def decrypt(self, sealed: bytes, purpose: str) -> bytes:
        owner, _, body = sealed.partition(b"\0")
        if owner != purpose.encode():
            raise ValueError(f"sealed for another purpose than {purpose}")
        return base64.b64decode(body, validate=True)
