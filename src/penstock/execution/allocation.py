"""How provisioned concurrency is shared out between versions, and what is to do about it. Rule: pure.

An alias's share follows its weights: while traffic shifts, both versions have their part of it, so that what AWS calls
allocated moves from one to the other.
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from penstock.registry.model import FunctionVersion, ProvisionedConfig, Route

FIRST_RETRY_S = 5.0
LAST_RETRY_S = 300.0
Want = tuple[ProvisionedConfig, Route]


@dataclass(frozen=True, slots=True)
class Goal:
    """How many environments of a version are to be kept ready."""

    version: FunctionVersion
    count: int
    asked_at: float
    """Business time; when a user last asked: what failed before that is tried anew."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Environments of a version cannot be made."""

    reason: str
    tries: int
    failed_at: float
    """Business time."""
    again_at: float
    """Monotonic."""


def split(requested: int, weight: float) -> tuple[int, int]:
    """Shares of the first and of the second version, which gets `weight` of the traffic. Both have one if possible."""
    if not 0.0 < weight < 1.0:
        return (requested, 0) if weight <= 0.0 else (0, requested)
    if requested == 1:
        return (1, 0) if weight <= 0.5 else (0, 1)
    second = min(requested - 1, max(1, math.floor(requested * weight + 0.5)))
    return requested - second, second


def goals(wants: Iterable[Want]) -> dict[str, Goal]:
    """What is to be kept ready, by code id. Versions with no share are not in it."""
    found: dict[str, Goal] = {}
    for config, route in wants:
        first, second = split(config.requested, route.additional_weight if route.additional else 0.0)
        for version, count in ((route.primary, first), (route.additional, second)):
            if version is not None and count:
                _add(found, Goal(version, count, config.modified_at))
    return found


def missing(goal: Goal, there: int, starting: int, failure: Failure | None, now: float) -> int:
    """How many environments to start at this monotonic instant. A version that failed is tried one at a time."""
    lacking = max(0, goal.count - there - starting)
    if failure is None or failure.failed_at < goal.asked_at:
        return lacking
    return min(lacking, 1) if now >= failure.again_at and not starting else 0


def failed_again(before: Failure | None, reason: str, now: float, business_now: float) -> Failure:
    """The failure after one more try, each wait twice as long as the one before."""
    tries = before.tries + 1 if before else 1
    wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(tries - 1, 16))
    return Failure(reason, tries, business_now, now + wait_s)


def still_failing(goal: Goal, failure: Failure | None) -> bool:
    """Whether the failure is newer than what the user asked for."""
    return failure is not None and failure.failed_at >= goal.asked_at


def is_met(goal: Goal, there: Mapping[str, int]) -> bool:
    """Whether enough environments are there."""
    return there.get(goal.version.code_id, 0) >= goal.count


def _add(found: dict[str, Goal], goal: Goal) -> None:
    code_id = goal.version.code_id
    known = found.get(code_id)
    if known is None:
        found[code_id] = goal
    else:
        asked_at = max(known.asked_at, goal.asked_at)
        found[code_id] = replace(known, count=known.count + goal.count, asked_at=asked_at)
