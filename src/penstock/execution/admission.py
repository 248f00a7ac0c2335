"""How many invokes may run at once. Rule: pure bookkeeping, no waiting; a refused invoke is throttled at once.

A function with reserved concurrency draws from its own share alone; all others share what the account has left.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections import defaultdict
from dataclasses import dataclass

from penstock.core.context import Scope

RESERVED_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_REASON = "ConcurrentInvocationLimitExceeded"

Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class Slot:
    """One admitted invoke; give it back with `release`."""

    key: Key
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
        self._reserved: dict[Key, int] = {}
        self._reserved_sum: dict[Scope, int] = defaultdict(int)
        self._running: dict[Key, int] = defaultdict(int)
        self._account_running: dict[Scope, int] = defaultdict(int)
        self._unreserved_running: dict[Scope, int] = defaultdict(int)

    def set_reserved(self, scope: Scope, name: str, reserved: int | None) -> None:
        """The function's reserved concurrency, None for none."""
        key = (scope, name)
        self._reserved_sum[scope] += (reserved or 0) - self._reserved.pop(key, 0)
        if reserved is not None:
            self._reserved[key] = reserved

    def admit(self, scope: Scope, name: str, reserved: int | None) -> Slot | str:
        """A slot, or AWS's reason for throttling. `reserved` is the newest word and corrects what was set."""
        key = (scope, name)
        if self._reserved.get(key) != reserved:
            self.set_reserved(scope, name, reserved)
        if reserved is not None and self._running[key] >= reserved:
            return RESERVED_REASON
        if reserved is None and self._unreserved_running[scope] >= self.unreserved_limit(scope):
            return ACCOUNT_REASON
        self._running[key] += 1
        self._account_running[scope] += 1
        if reserved is None:
            self._unreserved_running[scope] += 1
        return Slot(
            key, reserved is not None, self._running[key], self._account_running[scope], self._unreserved_running[scope]
        )

    def release(self, slot: Slot) -> None:
        """The invoke ended."""
        scope = slot.key[0]
        self._account_running[scope] -= 1
        if not slot.reserved:
            self._unreserved_running[scope] -= 1
        self._running[slot.key] -= 1
        if not self._running[slot.key]:
            del self._running[slot.key]

    def unreserved_limit(self, scope: Scope) -> int:
        """What functions without a reservation share."""
        return self.account_limit - self._reserved_sum[scope]

    def running(self, scope: Scope, name: str) -> int:
        """Invokes of a function now, over all its versions."""
        return self._running.get((scope, name), 0)
