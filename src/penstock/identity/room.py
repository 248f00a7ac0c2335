"""The identity room: the account's keys, signatures, sessions and encryption, built in one place.

Rule: everything is loaded at construction, before the server listens; nothing here touches the store.
"""

from collections.abc import Mapping
from pathlib import Path

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.gateway.contract import Operation, RawHandler
from penstock.identity.account import open_account
from penstock.identity.api import sts
from penstock.identity.authenticator import SigV4Authenticator
from penstock.identity.authorizer import AllowAll
from penstock.identity.cipher import MasterCipher
from penstock.identity.sessions import Sessions


class Identity:
    """Give `authenticator` and `authorizer` to the gateway, `cipher` to the registry, `sessions` to execution."""

    def __init__(self, *, data: Path, account: str, clock: Clock, dice: Dice):
        """Create or load the account's keys in `data`. Raises `StartupError` in words for the operator."""
        self.account = account
        self.admin, master_key = open_account(data, account, dice)
        self.cipher = MasterCipher({1: master_key}, dice)
        self.sessions = Sessions(self.cipher, clock, dice)
        self.authenticator = SigV4Authenticator(self.admin, account, self.sessions, clock)
        self.authorizer = AllowAll()

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """STS."""
        return {"sts": sts.operations(self.sessions)}

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Nothing to start: all is loaded."""

    async def stop(self) -> None:
        """Nothing to stop."""
