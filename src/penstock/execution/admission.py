"""How many invokes may run at once. Rule: pure bookkeeping, no waiting; a refused invoke is throttled at once.

A function with reserved concurrency draws from its own share alone, one that found a provisioned environment free from
what it has provisioned; all others share what the account has left.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from penstock.core.context import Scope
from penstock.execution.scaling import Bucket, draw

RESERVED_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_REASON = "ConcurrentInvocationLimitExceeded"
RATE_REASON = "FunctionInvocationRateLimitExceeded"
"""AWS's word for a function that asks for environments faster than it may scale."""

Key = tuple[Scope, str]


@dataclass(slots=True, eq=False)
class _Account:
    """One account in one region."""

    running: int = 0
    unreserved_running: int = 0
    aside: int = 0
    """What its functions do not share: reservations, and what those without one have provisioned."""


@dataclass(slots=True, eq=False)
class _Share:
    """One function."""

    account: _Account
    reserved: int | None = None
    provisioned: int = 0
    running: int = 0
    bucket: Bucket | None = None
    """How many environments it may still get at once."""

    @property
    def aside(self) -> int:
        """What it keeps from the others."""
        return self.provisioned if self.reserved is None else self.reserved


class Slot(NamedTuple):
    """One admitted invoke; give it back with `release`."""

    share: _Share
    shared: bool
    """Whether it came from what the account's functions share; remembered, because that may change while it runs."""
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
        _set_aside(share, reserved, share.provisioned)
        self._tidy((scope, name), share)

    def set_provisioned(self, totals: Mapping[Key, int]) -> None:
        """What every function has provisioned over all its versions and aliases; others have nothing."""
        known = [key for key, share in self._shares.items() if share.provisioned]
        for key in {*known, *totals}:
            share = self._share(*key)
            _set_aside(share, share.reserved, totals.get(key, 0))
            self._tidy(key, share)

    def admit(self, scope: Scope, name: str, reserved: int | None, *, provisioned: bool = False) -> Slot | str:
        """A slot, or AWS's reason for throttling. `reserved` is the newest word and corrects what was set.

        `provisioned`: a provisioned environment is free for it, so that it draws on what its function has set aside.
        """
        share = self._shares.get((scope, name)) or self._share(scope, name)
        account = share.account
        if share.reserved != reserved:
            _set_aside(share, reserved, share.provisioned)
        shared = reserved is None and not provisioned
        if shared:
            if account.unreserved_running >= self.account_limit - account.aside:
                return ACCOUNT_REASON
            account.unreserved_running += 1
        elif reserved is not None and share.running >= reserved:
            return RESERVED_REASON
        share.running += 1
        account.running += 1
        return Slot(share, shared, share.running, account.running, account.unreserved_running)

    def may_scale(self, slot: Slot, now: float) -> bool:
        """Whether the function may have one more environment at this monotonic instant; counts it if so."""
        slot.share.bucket, allowed = draw(slot.share.bucket, now)
        return allowed

    def release(self, slot: Slot) -> None:
        """The invoke ended."""
        account = slot.share.account
        account.running -= 1
        if slot.shared:
            account.unreserved_running -= 1
        slot.share.running -= 1

    def unreserved_limit(self, scope: Scope) -> int:
        """What functions without a reservation share."""
        return self.account_limit - self._accounts[scope].aside

    def running(self, scope: Scope, name: str) -> int:
        """Invokes of a function now, over all its versions."""
        share = self._shares.get((scope, name))
        return share.running if share else 0

    def _share(self, scope: Scope, name: str) -> _Share:
        key = (scope, name)
        if key not in self._shares:
            self._shares[key] = _Share(self._accounts[scope])
        return self._shares[key]

    def _tidy(self, key: Key, share: _Share) -> None:
        if share.reserved is None and not share.provisioned and not share.running:
            self._shares.pop(key, None)


def _set_aside(share: _Share, reserved: int | None, provisioned: int) -> None:
    share.account.aside -= share.aside
    share.reserved, share.provisioned = reserved, provisioned
    share.account.aside += share.aside
