"""Aliases over the API: life, preconditions, the guard, what the timeline hears and where invokes go at once."""

import pytest

from penstock.core.errors import ApiError


@pytest.fixture
def orders(bench):
    bench.create()
    for _ in range(3):
        bench.publish_changed()
    bench.changes.changes.clear()
    return bench


def make(bench, version="1", **params):
    return bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion=version, **params)


def weights(**shares: float):
    return {"AdditionalVersionWeights": {key[1:]: value for key, value in shares.items()}}


def test_the_life_of_an_alias(orders) -> None:
    made = make(orders, Description="the live one")
    assert made["AliasArn"] == "arn:aws:lambda:us-east-1:000000000000:function:orders:live"
    assert "RoutingConfig" not in made
    assert orders.call("GetAlias", FunctionName="orders", Name="live") == made
    shifted = orders.call("UpdateAlias", FunctionName="orders", Name="live", RoutingConfig=weights(_2=0.1))
    assert shifted["RoutingConfig"] == weights(_2=0.1)
    assert shifted["Description"] == "the live one"
    assert orders.registry.routing.resolve(orders.scope, "orders", "live").additional_weight == 0.1
    moved = orders.call(
        "UpdateAlias",
        FunctionName="orders",
        Name="live",
        FunctionVersion="2",
        RoutingConfig=weights(),
    )
    assert (moved["FunctionVersion"], "RoutingConfig" in moved) == ("2", False)
    assert orders.registry.routing.resolve(orders.scope, "orders", "live").primary.version == "2"
    orders.call("UpdateAlias", FunctionName="orders", Name="live", Description="renamed")
    assert orders.call("DeleteAlias", FunctionName="orders", Name="live") == {}
    with pytest.raises(ApiError):
        orders.registry.routing.resolve(orders.scope, "orders", "live")
    told = [(c.action, c.alias, c.previous_version, c.target_version) for c in orders.changes.changes]
    assert told == [
        ("alias-created", "live", None, "1"),
        ("weights-shifted", "live", "1", "1"),
        ("alias-moved", "live", "1", "2"),
        ("alias-deleted", "live", "2", None),
    ]
    assert orders.changes.changes[1].detail == {"weights": {"2": 0.1}, "previous_weights": {}}
    assert orders.changes.changes[0].by == "arn:aws:iam::000000000000:user/admin"


def test_moving_the_version_alone_keeps_the_weights(orders) -> None:
    make(orders, RoutingConfig=weights(_2=0.1))
    moved = orders.call("UpdateAlias", FunctionName="orders", Name="live", FunctionVersion="3")
    assert moved["RoutingConfig"] == weights(_2=0.1)
    error = orders.refused("UpdateAlias", FunctionName="orders", Name="live", FunctionVersion="2")
    assert "already included" in error.message


def test_an_alias_may_follow_latest_alone(orders) -> None:
    make(orders, "$LATEST")
    assert orders.registry.routing.resolve(orders.scope, "orders", "live").primary.version == "$LATEST"


@pytest.mark.parametrize(
    ("operation", "params", "code", "says"),
    [
        ("CreateAlias", {"Name": "live", "FunctionVersion": "1"}, "ResourceConflictException", "already exists: arn"),
        ("CreateAlias", {"Name": "b", "FunctionVersion": "9"}, "ResourceNotFoundException", "orders:9"),
        ("UpdateAlias", {"Name": "nope"}, "ResourceNotFoundException", "Alias not found: arn"),
        ("UpdateAlias", {"Name": "live", "RevisionId": "old"}, "PreconditionFailedException", "Revision Id"),
        ("UpdateAlias", {"Name": "live", "FunctionVersion": "9"}, "ResourceNotFoundException", "orders:9"),
        ("GetAlias", {"Name": "nope"}, "ResourceNotFoundException", "Cannot find alias arn: arn"),
        ("DeleteAlias", {"FunctionName": "ghost", "Name": "live"}, "ResourceNotFoundException", "ghost"),
        ("ListAliases", {"FunctionName": "ghost"}, "ResourceNotFoundException", "ghost"),
    ],
)  # fmt: skip
def test_refusals(orders, operation, params, code, says) -> None:
    make(orders)
    error = orders.refused(operation, **({"FunctionName": "orders"} | params))
    assert (error.code, says in error.message) == (code, True)


def test_deleting_what_is_not_there_is_fine(orders) -> None:
    assert orders.call("DeleteAlias", FunctionName="orders", Name="nope") == {}
    assert orders.changes.changes == []


def test_the_guard_stops_hands_but_not_eyes(orders) -> None:
    revision = make(orders)["RevisionId"]

    class Closed:
        def check(self, connection, scope, function, alias) -> None:
            raise ApiError("ResourceConflictException", f"{function}:{alias} is being deployed")

    orders.registry._desk.guard = Closed()
    for operation, params in [
        ("UpdateAlias", {"FunctionVersion": "2"}),
        ("UpdateAlias", {"RoutingConfig": weights(_2=0.5)}),
        ("DeleteAlias", {}),
    ]:
        assert "being deployed" in orders.refused(operation, FunctionName="orders", Name="live", **params).message
    assert orders.call("GetAlias", FunctionName="orders", Name="live")["RevisionId"] == revision
    orders.call("UpdateAlias", FunctionName="orders", Name="live", Description="words move no traffic")


def test_lists_can_be_narrowed_to_a_version_and_come_in_pages(orders) -> None:
    for name, version, share in (("a", "1", {}), ("b", "2", {}), ("c", "2", {"1": 0.5})):
        orders.call(
            "CreateAlias", FunctionName="orders", Name=name, FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": share},
        )  # fmt: skip
    first = orders.call("ListAliases", FunctionName="orders", MaxItems=2)
    assert [a["Name"] for a in first["Aliases"]] == ["a", "b"]
    rest = orders.call("ListAliases", FunctionName="orders", MaxItems=2, Marker=first["NextMarker"])
    assert [a["Name"] for a in rest["Aliases"]] == ["c"]
    assert "NextMarker" not in rest
    narrowed = orders.call("ListAliases", FunctionName="orders", FunctionVersion="1")
    assert [a["Name"] for a in narrowed["Aliases"]] == ["a", "c"]


def test_the_function_is_shown_through_its_alias(orders) -> None:
    make(orders, "2")
    shown = orders.call("GetFunction", FunctionName="orders:live")["Configuration"]
    assert (shown["Version"], shown["FunctionArn"].rsplit(":", 1)[1]) == ("2", "live")
