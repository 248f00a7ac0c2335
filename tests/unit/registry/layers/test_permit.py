"""Policies of layers' versions: statements as AWS prints them, revisions, and one policy a version."""
# ruff: noqa: E501 - a table of cases reads by the line

import json

import pytest

ARN = "arn:aws:lambda:us-east-1:000000000000:layer:pillow:1"
GRANT = {"LayerName": "pillow", "VersionNumber": 1, "StatementId": "s", "Action": "lambda:GetLayerVersion"}
WHERE = {"LayerName": "pillow", "VersionNumber": 1}


@pytest.mark.parametrize(
    ("given", "principal", "condition"),
    [
        ({"Principal": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "arn:aws:iam::111122223333:root"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "*"}, "*", None),
        ({"Principal": "*", "OrganizationId": "o-1234567890"}, "*", {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
    ],
)  # fmt: skip
def test_a_statement_reads_as_in_aws(bench, publish, given, principal, condition) -> None:
    publish()
    added = bench.call("AddLayerVersionPermission", **GRANT, **given)
    wanted = {"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": GRANT["Action"], "Resource": ARN}
    wanted |= {"Condition": condition} if condition else {}
    assert json.loads(added["Statement"]) == wanted
    policy = bench.call("GetLayerVersionPolicy", **WHERE)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [wanted]}
    assert policy["RevisionId"] == added["RevisionId"]


def test_a_revision_guards_the_policy(bench, publish) -> None:
    publish()
    one = bench.call("AddLayerVersionPermission", **GRANT, Principal="*")["RevisionId"]
    two = bench.call("AddLayerVersionPermission", **GRANT | {"StatementId": "t"}, Principal="*", RevisionId=one)
    for operation, params in (
        ("AddLayerVersionPermission", GRANT | {"StatementId": "u", "Principal": "*"}),
        ("RemoveLayerVersionPermission", WHERE | {"StatementId": "s"}),
    ):
        assert bench.refused(operation, **params, RevisionId=one).code == "PreconditionFailedException"
    bench.call("RemoveLayerVersionPermission", **WHERE, StatementId="s", RevisionId=two["RevisionId"])
    bench.call("RemoveLayerVersionPermission", **WHERE, StatementId="t")
    assert bench.refused("GetLayerVersionPolicy", **WHERE).message == "No policy is associated with the given resource."


def test_what_is_not_there_and_what_is_there_already(bench, publish) -> None:
    missing = bench.refused("AddLayerVersionPermission", **GRANT, Principal="*")
    assert (missing.code, missing.message) == ("ResourceNotFoundException", f"Layer version {ARN} does not exist.")
    assert bench.refused("GetLayerVersionPolicy", **WHERE).message == missing.message
    publish()
    bench.call("AddLayerVersionPermission", **GRANT, Principal="*")
    assert bench.refused("AddLayerVersionPermission", **GRANT, Principal="*").code == "ResourceConflictException"
    error = bench.refused("RemoveLayerVersionPermission", **WHERE, StatementId="other")
    assert error.message == "Statement other is not found in resource policy."
    mixed = GRANT | {"StatementId": "o", "Principal": "111122223333", "OrganizationId": "o-1234567890"}
    assert bench.refused("AddLayerVersionPermission", **mixed).code == "InvalidParameterValueException"


def test_a_policy_has_a_largest_size_and_goes_with_its_version(bench, publish, monkeypatch) -> None:
    monkeypatch.setattr("penstock.registry.layers.permit.POLICY_LIMIT", 300)
    publish()
    bench.call("AddLayerVersionPermission", **GRANT, Principal="*")
    error = bench.refused("AddLayerVersionPermission", **GRANT | {"StatementId": "t"}, Principal="*")
    assert error.code == "PolicyLengthExceededException"
    publish()
    assert "No policy" in bench.refused("GetLayerVersionPolicy", LayerName="pillow", VersionNumber=2).message
