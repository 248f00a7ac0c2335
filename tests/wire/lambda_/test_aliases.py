"""Aliases over the wire: life, weights and their rules, pages; every refusal leaves the alias where it was."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def client(server):
    return server.client("lambda", parameter_validation=False)


@pytest.fixture(scope="module")
def orders(client, shared) -> str:
    """Versions 1 and 2 alike, 3 with another role, 4 with a dead letter queue; `live` on 1."""
    name = shared
    client.publish_version(FunctionName=name)
    for change in (
        {"Description": "two"},
        {"Role": "arn:aws:iam::000000000000:role/other"},
        {
            "Role": "arn:aws:iam::000000000000:role/test",
            "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dlq"},
        },
    ):
        client.update_function_configuration(FunctionName=name, **change)
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def test_the_life_of_an_alias(client, orders) -> None:
    created = client.create_alias(FunctionName=orders, Name="mine", FunctionVersion="1")
    assert created["AliasArn"].endswith(f":function:{orders}:mine")
    assert "RoutingConfig" not in created
    shifted = client.update_alias(
        FunctionName=orders,
        Name="mine",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        RevisionId=created["RevisionId"],
    )
    assert shifted["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    moved = client.update_alias(
        FunctionName=orders, Name="mine", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert (moved["FunctionVersion"], "RoutingConfig" in moved) == ("2", False)
    for suffix in ("a", "b", "c"):
        client.create_alias(FunctionName=orders, Name=suffix, FunctionVersion="1")
    pages = client.get_paginator("list_aliases").paginate(FunctionName=orders, PaginationConfig={"PageSize": 2})
    assert [a["Name"] for page in pages for a in page["Aliases"]] == ["a", "b", "c", "live", "mine"]
    narrowed = client.list_aliases(FunctionName=orders, FunctionVersion="2")["Aliases"]
    assert [a["Name"] for a in narrowed] == ["mine"]
    for suffix in ("a", "b", "c"):
        client.delete_alias(FunctionName=orders, Name=suffix)
    answer = client.delete_alias(FunctionName=orders, Name="mine")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_alias(FunctionName=orders, Name="mine")


@pytest.mark.parametrize(
    ("version", "weights", "code"),
    [
        ("1", {"1": 0.5}, "InvalidParameterValueException"),
        ("1", {"3": 0.5}, "InvalidParameterValueException"),
        ("1", {"4": 0.5}, "InvalidParameterValueException"),
        ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException"),
        ("1", {"2": 1.1}, "ValidationException"),
        ("1", {"2": -0.1}, "ValidationException"),
        ("1", {"$LATEST": 0.1}, "ValidationException"),
        ("1", {"9": 0.1}, "ResourceNotFoundException"),
        ("9", {}, "ResourceNotFoundException"),
        ("99999999999999999999999999", {}, "ResourceNotFoundException"),
        ("$LATEST", {"1": 0.1}, "InvalidParameterValueException"),
        ("live", {}, "ValidationException"),
        ("", {}, "ValidationException"),
    ],
)
def test_a_route_that_is_not_valid(client, orders, version, weights, code) -> None:
    before = client.get_alias(FunctionName=orders, Name="live")
    routing = {"AdditionalVersionWeights": weights}
    for operation, alias in (("update_alias", "live"), ("create_alias", "other")):
        with pytest.raises(ClientError) as refused:
            getattr(client, operation)(FunctionName=orders, Name=alias, FunctionVersion=version, RoutingConfig=routing)
        assert refused.value.response["Error"]["Code"] == code
    after = client.get_alias(FunctionName=orders, Name="live")
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
    assert [a["Name"] for a in client.list_aliases(FunctionName=orders)["Aliases"]] == ["live"]


@pytest.mark.parametrize("alias", ["1", "007", "with space", "a:b", "x" * 129, "ü"])
def test_an_alias_name_that_is_none(client, orders, alias) -> None:
    with pytest.raises(ClientError) as refused:
        client.create_alias(FunctionName=orders, Name=alias, FunctionVersion="1")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert [a["Name"] for a in client.list_aliases(FunctionName=orders)["Aliases"]] == ["live"]


def test_the_same_alias_twice(client, orders) -> None:
    with pytest.raises(client.exceptions.ResourceConflictException, match="Alias already exists"):
        client.create_alias(FunctionName=orders, Name="live", FunctionVersion="1")
