"""Every rule of a valid alias, and the compare-and-swap that keeps two movers apart."""

from dataclasses import replace

import pytest

from penstock.core.errors import ApiError
from penstock.registry import records
from penstock.registry.aliases import AliasMovedError, check_route, read_alias, set_route
from penstock.registry.model import FunctionVersion

VERSIONS = {
    "$LATEST": {},
    "1": {},
    "2": {},
    "3": {"role": "arn:aws:iam::000000000000:role/other"},
    "4": {"dead_letter_target": "arn:aws:sqs:us-east-1:000000000000:dlq"},
    "5": {"dead_letter_target": "arn:aws:sqs:us-east-1:000000000000:dlq"},
}


@pytest.fixture
def orders(store, scope):
    base = FunctionVersion(
        scope, "orders", "1", "python3.12", "a.h", "arn:aws:iam::000000000000:role/r", "s", 1, "rev", 0.0
    )
    for number, changes in VERSIONS.items():
        version = replace(base, version=number, **changes)
        store.write_now(lambda c, version=version: records.write_version(c, version))
    return store


@pytest.mark.parametrize(
    ("version", "weights"),
    [("1", {}), ("1", {"2": 0.1}), ("1", {"2": 0.0}), ("1", {"2": 1.0}), ("4", {"5": 0.5}), ("$LATEST", {})],
)
def test_a_valid_route(orders, scope, version, weights) -> None:
    orders.read_now(lambda c: check_route(c, scope, "orders", version, weights))


@pytest.mark.parametrize(
    ("version", "weights", "code", "says"),
    [
        ("9", {}, "ResourceNotFoundException", "function:orders:9"),
        ("1", {"9": 0.1}, "ResourceNotFoundException", "function:orders:9"),
        ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException", "cannot be greater than 1"),
        ("1", {"2": 1.01}, "InvalidParameterValueException", "0.0 to 1.0"),
        ("1", {"2": -0.1}, "InvalidParameterValueException", "0.0 to 1.0"),
        ("1", {"2": float("nan")}, "InvalidParameterValueException", "0.0 to 1.0"),
        ("1", {"1": 0.1}, "InvalidParameterValueException", "already included"),
        ("$LATEST", {"1": 0.1}, "InvalidParameterValueException", "$LATEST is not supported"),
        ("1", {"$LATEST": 0.1}, "InvalidParameterValueException", "$LATEST is not supported"),
        ("1", {"3": 0.1}, "InvalidParameterValueException", "execution roles"),
        ("1", {"4": 0.1}, "InvalidParameterValueException", "dead letter"),
    ],
)
def test_an_invalid_route_says_why(orders, scope, version, weights, code, says) -> None:
    with pytest.raises(ApiError) as refused:
        orders.read_now(lambda c: check_route(c, scope, "orders", version, weights))
    assert refused.value.code == code
    assert says in refused.value.message


def move(scope, version, expected, revision, weights=None):
    return lambda c: set_route(
        c, scope=scope, function="orders", alias="live", version=version, weights=weights or {},
        expected_revision_id=expected, revision_id=revision,
    )  # fmt: skip


def test_an_alias_moves_only_from_where_it_was_seen(orders, scope) -> None:
    created = orders.write_now(move(scope, "1", None, "r1"))
    assert (created.version, created.revision_id) == ("1", "r1")
    with pytest.raises(AliasMovedError) as exists:
        orders.write_now(move(scope, "2", None, "r2"))
    assert exists.value.current == created
    moved = orders.write_now(move(scope, "1", "r1", "r2", {"2": 0.1}))
    with pytest.raises(AliasMovedError) as stale:
        orders.write_now(move(scope, "2", "r1", "r3"))
    assert stale.value.current == moved
    assert orders.read_now(lambda c: read_alias(c, scope, "orders", "live")) == moved


def test_nobody_moves_an_alias_that_is_gone(orders, scope) -> None:
    with pytest.raises(AliasMovedError) as gone:
        orders.write_now(move(scope, "1", "r1", "r2"))
    assert gone.value.current is None
