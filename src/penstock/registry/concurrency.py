"""How an account's concurrency is shared out: reserved, provisioned, and what is left for everyone. Rule: pure.

What a function sets aside is its reservation, or without one what it has provisioned.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Iterable, Mapping

from penstock.core.context import Scope
from penstock.registry.model import Function, ProvisionedConfig
from penstock.registry.refusals import invalid

UNRESERVED_MINIMUM = 100


def totals(configs: Iterable[ProvisionedConfig]) -> dict[tuple[Scope, str], int]:
    """What each function has provisioned over all its versions and aliases."""
    summed: dict[tuple[Scope, str], int] = {}
    for config in configs:
        key = (config.scope, config.function)
        summed[key] = summed.get(key, 0) + config.requested
    return summed


def set_aside(functions: Iterable[Function], provisioned: Mapping[tuple[Scope, str], int]) -> int:
    """What these functions take out of the account's shared concurrency."""
    return sum(
        provisioned.get((one.scope, one.name), 0) if one.reserved_concurrency is None else one.reserved_concurrency
        for one in functions
    )


def check_reservation(account: int, others: int, wanted: int, provisioned: int = 0) -> None:
    """Raise `ApiError` unless a function may reserve `wanted`.

    `others` is what the account's other functions set aside; `provisioned` what this one has.
    """
    if wanted < provisioned:
        raise invalid(
            f"ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned "
            f"concurrency [{provisioned}]."
        )
    least = min(UNRESERVED_MINIMUM, account)
    if wanted and account - others - wanted < least:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{least}]."
        )


def check_provisioned(account: int, others: int, reserved: int | None, wanted: int) -> None:
    """Raise `ApiError` unless a function may have `wanted` provisioned over all its versions and aliases."""
    if reserved is not None:
        if wanted > reserved:
            raise invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                "function"
            )
        return
    least = min(UNRESERVED_MINIMUM, account)
    if account - others - wanted < least:
        raise invalid(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{least}]."
        )
