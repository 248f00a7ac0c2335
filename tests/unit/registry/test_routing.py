"""The routing table: every qualifier, weighted aliases, changes seen at once, AWS's words for what is not there."""

import pytest

from penstock.core.errors import ApiError
from penstock.registry.model import Alias, Function, FunctionVersion
from penstock.registry.routing import Routes


def make_version(scope, version, name="orders"):
    return FunctionVersion(
        scope, name, version, "python3.12", "app.handler", "arn:aws:iam::000000000000:role/r", "sha", 1, "rev", 0.0
    )


@pytest.fixture
def routes(scope) -> Routes:
    routes = Routes()
    routes.load(
        [Function(scope, "orders", 0.0, reserved_concurrency=7)],
        [make_version(scope, v) for v in ("$LATEST", "1", "2")],
        [
            Alias(scope, "orders", "live", "1", "r1", weights={"2": 0.25}),
            Alias(scope, "orders", "beta", "2", "r1"),
            Alias(scope, "orders", "lost", "9", "r1"),
        ],
    )
    return routes


@pytest.mark.parametrize(
    ("qualifier", "primary", "alias"),
    [
        (None, "$LATEST", None),
        ("$LATEST", "$LATEST", None),
        ("1", "1", None),
        ("beta", "2", "beta"),
        ("live", "1", "live"),
    ],
)
def test_a_qualifier_leads_to_its_version(routes, scope, qualifier, primary, alias) -> None:
    route = routes.resolve(scope, "orders", qualifier)
    assert (route.primary.version, route.alias, route.reserved_concurrency) == (primary, alias, 7)


def test_weights_choose_by_the_die(routes, scope) -> None:
    route = routes.resolve(scope, "orders", "live")
    assert [route.choose(roll).version for roll in (0.0, 0.249, 0.25, 0.999)] == ["2", "2", "1", "1"]


@pytest.mark.parametrize(
    ("name", "qualifier", "tail"),
    [
        ("ghost", None, "ghost"),
        ("orders", "3", "orders:3"),
        ("orders", "nope", "orders:nope"),
        ("orders", "lost", "orders:lost"),
    ],
)
def test_what_is_not_there_is_named(routes, scope, name, qualifier, tail) -> None:
    with pytest.raises(ApiError) as refused:
        routes.resolve(scope, name, qualifier)
    assert refused.value.code == "ResourceNotFoundException"
    assert refused.value.message == f"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{tail}"


def test_changes_are_seen_by_the_next_invoke(routes, scope) -> None:
    assert routes.resolve(scope, "orders", "live").additional
    routes.put_alias(Alias(scope, "orders", "live", "2", "r2"))
    assert routes.resolve(scope, "orders", "live").primary.version == "2"
    assert not routes.resolve(scope, "orders", "live").additional
    routes.put_function(Function(scope, "orders", 0.0, reserved_concurrency=0))
    assert routes.resolve(scope, "orders", "live").reserved_concurrency == 0
    routes.drop_version(scope, "orders", "1")
    with pytest.raises(ApiError):
        routes.resolve(scope, "orders", "1")
    routes.drop_alias(scope, "orders", "live")
    with pytest.raises(ApiError):
        routes.resolve(scope, "orders", "live")
    routes.drop_function(scope, "orders")
    with pytest.raises(ApiError):
        routes.resolve(scope, "orders")


def test_functions_of_other_regions_are_not_found(routes, scope) -> None:
    with pytest.raises(ApiError):
        routes.resolve(type(scope)(scope.account, "eu-west-1"), "orders")
