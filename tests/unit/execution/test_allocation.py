"""The rules of allocation as tables: shares by weight, what is missing, how long to wait after a failure."""

from dataclasses import replace

import pytest

from penstock.core.context import Scope
from penstock.execution.allocation import Failure, Goal, failed_again, goals, missing, split, still_failing
from penstock.registry.model import FunctionVersion, ProvisionedConfig, Route

SCOPE = Scope("1" * 12, "eu-west-1")


def version(number):
    return FunctionVersion(SCOPE, "orders", number, "python3.12", "a.b", "role", "sha", 1, f"r{number}", 0.0)


@pytest.mark.parametrize(
    ("requested", "weight", "shares"),
    [
        (10, 0.0, (10, 0)),
        (10, 1.0, (0, 10)),
        (10, 0.1, (9, 1)),
        (10, 0.01, (9, 1)),
        (10, 0.99, (1, 9)),
        (10, 0.25, (7, 3)),
        (10, 0.5, (5, 5)),
        (100, 0.1, (90, 10)),
        (2, 0.1, (1, 1)),
        (2, 0.9, (1, 1)),
        (1, 0.1, (1, 0)),
        (1, 0.5, (1, 0)),
        (1, 0.6, (0, 1)),
    ],
)
def test_an_alias_is_split_by_weight(requested, weight, shares) -> None:
    assert split(requested, weight) == shares
    assert sum(shares) == requested


def test_goals_add_up_over_configurations() -> None:
    one, two = version("1"), version("2")
    wants = [
        (ProvisionedConfig(SCOPE, "orders", "live", 10, 5.0), Route(one, two, 0.1, "live")),
        (ProvisionedConfig(SCOPE, "orders", "2", 4, 9.0), Route(two)),
        (ProvisionedConfig(SCOPE, "orders", "beta", 1, 1.0), Route(one, version("3"), 0.1, "beta")),
    ]
    found = goals(wants)
    assert {goal.version.version: goal.count for goal in found.values()} == {"1": 10, "2": 5}
    assert found[two.code_id].asked_at == 9.0


GOAL = Goal(version("1"), 5, asked_at=100.0)
FAILED = Failure("why", 1, failed_at=101.0, again_at=50.0)


@pytest.mark.parametrize(
    ("name", "there", "starting", "failure", "now", "count"),
    [
        ("from nothing", 0, 0, None, 0.0, 5),
        ("some on the way", 2, 1, None, 0.0, 2),
        ("enough", 5, 0, None, 0.0, 0),
        ("too many", 7, 0, None, 0.0, 0),
        ("failed, too soon", 0, 0, FAILED, 49.0, 0),
        ("failed, one at a time", 0, 0, FAILED, 50.0, 1),
        ("failed, one is being tried", 0, 1, FAILED, 50.0, 0),
        ("failed before it was asked for again", 0, 0, replace(FAILED, failed_at=99.0), 0.0, 5),
    ],
)
def test_what_is_missing(name, there, starting, failure, now, count) -> None:
    assert missing(GOAL, there, starting, failure, now) == count, name
    assert still_failing(GOAL, failure) is name.startswith("failed,")


def test_waits_grow_and_are_bounded() -> None:
    failure, waits = None, []
    for _ in range(9):
        failure = failed_again(failure, "why", 1000.0, 1.0)
        waits.append(failure.again_at - 1000.0)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
