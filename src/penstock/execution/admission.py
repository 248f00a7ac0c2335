"""How many invokes may run at once. Rule: pure bookkeeping, no waiting; a refused invoke is throttled at once.

A function with reserved concurrency draws from its own share alone; all others share what the account has left.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from penstock.core.context import Scope

RESERVED_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_REASON = "ConcurrentInvocationLimitExceeded"

Key = tuple[Scope, str]


@dataclass(slots=True, eq=False)
class _Account:
    """One account in one region."""

    running: int = 0
    unreserved_running: int = 0
    reserved: int = 0
    """The sum of all reservations."""


@dataclass(slots=True, eq=False)
class _Share:
    """One function."""

    account: _Account
    reserved: int | None = None
    running: int = 0


class Slot(NamedTuple):
    """One admitted invoke; give it back with `release`."""

    share: _Share
    reserved: bool
    """Which pool it came from, remembered because the reservation may change while the invoke runs."""
    running: int
    """Invokes of this function now, this one included."""
    account_running: int
    unreserved_running: int


class Admission:
    """Counts what runs, for all accounts and regions of this server."""

    def __init__(self, account_limit: int) -> None:
        """`account_limit` holds for each account and region."""
        self.account_limit = account_limit
        self._shares: dict[Key, _Share] = {}
        self._accounts: dict[Scope, _Account] = defaultdict(_Account)

    def set_reserved(self, scope: Scope, name: str, reserved: int | None) -> None:
        """The function's reserved concurrency, None for none."""
        share = self._share(scope, name)
        share.account.reserved += (reserved or 0) - (share.reserved or 0)
        share.reserved = reserved
        if reserved is None and not share.running:
            del self._shares[scope, name]

    def admit(self, scope: Scope, name: str, reserved: int | None) -> Slot | str:
        """A slot, or AWS's reason for throttling. `reserved` is the newest word and corrects what was set."""
        share = self._shares.get((scope, name)) or self._share(scope, name)
        account = share.account
        if share.reserved != reserved:
            account.reserved += (reserved or 0) - (share.reserved or 0)
            share.reserved = reserved
        if reserved is None:
            if account.unreserved_running >= self.account_limit - account.reserved:
                return ACCOUNT_REASON
            account.unreserved_running += 1
        elif share.running >= reserved:
            return RESERVED_REASON
        share.running += 1
        account.running += 1
        return Slot(share, reserved is not None, share.running, account.running, account.unreserved_running)

    def release(self, slot: Slot) -> None:
        """The invoke ended."""
        account = slot.share.account
        account.running -= 1
        if not slot.reserved:
            account.unreserved_running -= 1
        slot.share.running -= 1

    def unreserved_limit(self, scope: Scope) -> int:
        """What functions without a reservation share."""
        return self.account_limit - self._accounts[scope].reserved

    def running(self, scope: Scope, name: str) -> int:
        """Invokes of a function now, over all its versions."""
        share = self._shares.get((scope, name))
        return share.running if share else 0

    def _share(self, scope: Scope, name: str) -> _Share:
        key = (scope, name)
        if key not in self._shares:
            self._shares[key] = _Share(self._accounts[scope])
        return self._shares[key]
