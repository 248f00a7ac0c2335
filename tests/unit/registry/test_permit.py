"""Resource policies: AWS's JSON for every kind of grant, one policy a qualifier, and its refusals."""
# ruff: noqa: E501 - a table of cases reads by the line

import json

import pytest

from penstock.registry.permit import statement_of

GRANT = {
    "FunctionName": "orders",
    "StatementId": "s3",
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
}
ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"


@pytest.fixture
def orders(bench):
    bench.create()
    bench.publish_changed()
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    return bench


@pytest.mark.parametrize(
    ("params", "principal", "condition"),
    [
        ({}, {"Service": "s3.amazonaws.com"}, None),
        ({"Principal": "*"}, "*", None),
        ({"Principal": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "arn:aws:iam::111122223333:role/r"}, {"AWS": "arn:aws:iam::111122223333:role/r"}, None),
        (
            {"SourceArn": "arn:aws:s3:::b", "SourceAccount": "111122223333"},
            {"Service": "s3.amazonaws.com"},
            {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}, "StringEquals": {"AWS:SourceAccount": "111122223333"}},
        ),
        (
            {"Principal": "*", "FunctionUrlAuthType": "NONE", "InvokedViaFunctionUrl": True},
            "*",
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}, "Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
        ({"Principal": "*", "PrincipalOrgID": "o-x"}, "*", {"StringEquals": {"aws:PrincipalOrgID": "o-x"}}),
        ({"EventSourceToken": "t"}, {"Service": "s3.amazonaws.com"}, {"StringEquals": {"lambda:EventSourceToken": "t"}}),
    ],
)  # fmt: skip
def test_the_statement(params, principal, condition) -> None:
    statement = statement_of(GRANT | params, ARN)
    assert statement["Principal"] == principal
    assert statement.get("Condition") == condition
    assert (statement["Sid"], statement["Effect"], statement["Resource"]) == ("s3", "Allow", ARN)


def test_grants_are_added_shown_and_removed(orders) -> None:
    added = orders.call("AddPermission", **GRANT)
    assert json.loads(added["Statement"])["Sid"] == "s3"
    orders.call("AddPermission", **(GRANT | {"StatementId": "two"}))
    got = orders.call("GetPolicy", FunctionName="orders")
    policy = json.loads(got["Policy"])
    assert (policy["Version"], policy["Id"], [s["Sid"] for s in policy["Statement"]]) == (
        "2012-10-17",
        "default",
        ["s3", "two"],
    )
    orders.call("RemovePermission", FunctionName="orders", StatementId="s3", RevisionId=got["RevisionId"])
    orders.call("RemovePermission", FunctionName="orders", StatementId="two")
    assert orders.refused("GetPolicy", FunctionName="orders").message == "The resource you requested does not exist."


def test_each_qualifier_has_its_own(orders) -> None:
    orders.call("AddPermission", **GRANT, Qualifier="live")
    orders.call("AddPermission", **(GRANT | {"FunctionName": "orders:1"}))
    live = json.loads(orders.call("GetPolicy", FunctionName="orders:live")["Policy"])
    assert live["Statement"][0]["Resource"] == f"{ARN}:live"
    assert orders.refused("GetPolicy", FunctionName="orders").code == "ResourceNotFoundException"
    orders.call("DeleteAlias", FunctionName="orders", Name="live")
    orders.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    assert orders.refused("GetPolicy", FunctionName="orders:live").code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "params", "code", "says"),
    [
        ("AddPermission", GRANT, "ResourceConflictException", "The statement id (s3) provided already exists."),
        ("AddPermission", GRANT | {"StatementId": "x", "RevisionId": "old"}, "PreconditionFailedException", "GetPolicy"),
        ("AddPermission", GRANT | {"Principal": "nobody"}, "InvalidParameterValueException", "principal was invalid"),
        ("AddPermission", GRANT | {"Qualifier": "$LATEST"}, "InvalidParameterValueException", "$LATEST"),
        ("AddPermission", GRANT | {"Qualifier": "9"}, "ResourceNotFoundException", "orders:9"),
        ("AddPermission", GRANT | {"Qualifier": "nope"}, "ResourceNotFoundException", "orders:nope"),
        ("AddPermission", GRANT | {"StatementId": "x", "SourceArn": "arn:" + "x" * 20480}, "PolicyLengthExceededException", "20480"),
        ("RemovePermission", {"FunctionName": "orders", "StatementId": "no"}, "ResourceNotFoundException", "Statement no is not found"),
        ("RemovePermission", {"FunctionName": "orders:1", "StatementId": "no"}, "ResourceNotFoundException", "No policy is associated"),
        ("RemovePermission", {"FunctionName": "orders", "StatementId": "s3", "RevisionId": "o"}, "PreconditionFailedException", "GetPolicy"),
        ("GetPolicy", {"FunctionName": "ghost"}, "ResourceNotFoundException", "ghost"),
    ],
)  # fmt: skip
def test_refusals(orders, operation, params, code, says) -> None:
    orders.call("AddPermission", **GRANT)
    error = orders.refused(operation, **params)
    assert (error.code, says in error.message) == (code, True), error.message
