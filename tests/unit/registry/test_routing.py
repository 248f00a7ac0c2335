"""The routing table: every qualifier, weighted aliases, changes seen at once, AWS's words for what is not there."""

import pytest

from penstock.core.errors import ApiError
from penstock.registry.model import Alias, Function, FunctionVersion, ProvisionedConfig
from penstock.registry.routing import Routes, is_advance


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


@pytest.mark.parametrize(
    ("before", "after", "advance"),
    [
        (("1", {}), ("2", {}), True),
        (("1", {}), ("1", {"2": 0.1}), True),
        (("1", {"2": 0.1}), ("2", {}), False),
        (("1", {"2": 0.1}), ("1", {}), False),
        (("2", {}), ("1", {}), False),
        (("9", {}), ("10", {}), True),
        (("2", {"1": 0.5}), ("3", {}), True),
    ],
)
def test_what_a_provisioned_alias_waits_for(scope, before, after, advance) -> None:
    was, then = (Alias(scope, "orders", "live", version, "r", weights=weights) for version, weights in (before, after))
    assert is_advance(was, then) is advance


def routed(routes, scope):
    route = routes.resolve(scope, "orders", "beta")
    return route.primary.version, route.additional.version if route.additional else None


def test_a_provisioned_alias_is_held_until_its_new_version_is_let_go(routes, scope) -> None:
    routes.put_version(make_version(scope, "3"))
    routes.put_version(make_version(scope, "4"))
    routes.put_provisioned(ProvisionedConfig(scope, "orders", "beta", 5, 0.0))
    shifted, moved = (
        Alias(scope, "orders", "beta", "2", "r2", weights={"3": 0.1}),
        Alias(scope, "orders", "beta", "4", "r3"),
    )
    routes.put_alias(shifted)
    assert routed(routes, scope) == ("2", None)
    ((_, declared),) = routes.provisioned()
    assert (declared.primary.version, declared.additional.version) == ("2", "3")
    assert routes.held() == [shifted]
    routes.let_go(shifted)
    assert routed(routes, scope) == ("2", "3")
    routes.put_alias(moved)
    routes.let_go(shifted)  # too late: it has moved on meanwhile
    assert routed(routes, scope) == ("2", "3")
    routes.put_alias(Alias(scope, "orders", "beta", "2", "r4"))
    assert (routed(routes, scope), routes.held()) == (("2", None), [])


@pytest.mark.parametrize("way", ["drop_version", "drop_provisioned"])
def test_nothing_is_held_for_what_is_gone(routes, scope, way) -> None:
    routes.put_version(make_version(scope, "3"))
    routes.put_provisioned(ProvisionedConfig(scope, "orders", "beta", 5, 0.0))
    routes.put_alias(Alias(scope, "orders", "beta", "3", "r2"))
    getattr(routes, way)(scope, "orders", "2" if way == "drop_version" else "beta")
    assert routed(routes, scope) == ("3", None)


def test_which_versions_expect_invokes(routes, scope) -> None:
    routes.put_version(make_version(scope, "3"))
    serves = {name: routes.serves(make_version(scope, name)) for name in ("$LATEST", "1", "2", "3", "4")}
    assert serves == {"$LATEST": True, "1": True, "2": True, "3": False, "4": False}
    routes.put_provisioned(ProvisionedConfig(scope, "orders", "3", 5, 0.0))
    assert routes.serves(make_version(scope, "3"))
