"""STS operations: who is asking, what a role's session looks like, what is refused and in which words."""

import asyncio

import pytest

from penstock.core.context import Principal, RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.identity.room import Identity

ROLE = "arn:aws:iam::000000000000:role/deploy"


def call(identity: Identity, operation: str, principal: Principal | None = None, **params):
    context = RequestContext(
        "r-1", Scope("000000000000", "us-east-1"), principal or identity.admin.principal, "sts", operation, 0.0
    )
    return asyncio.run(identity.operations()["sts"][operation](context, params))


def test_the_caller_is_told_who_it_is(identity: Identity) -> None:
    assert call(identity, "GetCallerIdentity") == {
        "UserId": identity.admin.principal.user_id,
        "Account": "000000000000",
        "Arn": "arn:aws:iam::000000000000:user/admin",
    }


def test_assuming_a_role_gives_a_session_that_opens(identity: Identity, clock) -> None:
    result = call(identity, "AssumeRole", RoleArn=ROLE, RoleSessionName="ci", DurationSeconds=900)
    keys = result["Credentials"]
    session = identity.sessions.open(keys["SessionToken"])
    assert session is not None
    assert (session.access_key, session.secret_key) == (keys["AccessKeyId"], keys["SecretAccessKey"])
    assert keys["Expiration"] == clock.real() + 900
    assert result["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/deploy/ci"
    assert result["AssumedRoleUser"]["AssumedRoleId"] == session.principal.user_id


@pytest.mark.parametrize(
    ("operation", "params", "hours"),
    [("AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "ci"}, 1), ("GetSessionToken", {}, 12)],
)
def test_default_durations(identity: Identity, clock, operation, params, hours) -> None:
    assert call(identity, operation, **params)["Credentials"]["Expiration"] == clock.real() + hours * 3600


def test_a_session_token_is_the_user_still(identity: Identity) -> None:
    keys = call(identity, "GetSessionToken")["Credentials"]
    session = identity.sessions.open(keys["SessionToken"])
    assert session is not None
    assert session.principal.arn == identity.admin.principal.arn
    assert session.principal.access_key == keys["AccessKeyId"]


REFUSED = {
    "not an ARN": ({"RoleArn": "deploy-role-of-the-team"}, "ValidationError"),
    "not a role": ({"RoleArn": "arn:aws:iam::000000000000:user/admin"}, "ValidationError"),
    "no name": ({"RoleArn": "arn:aws:iam::000000000000:role/"}, "ValidationError"),
    "another account": ({"RoleArn": "arn:aws:iam::111111111111:role/deploy"}, "AccessDenied"),
    "a session policy": ({"Policy": "{}"}, "ValidationError"),
    "an MFA code": ({"SerialNumber": "arn:aws:iam::000000000000:mfa/x", "TokenCode": "123456"}, "AccessDenied"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_roles(identity: Identity, name: str) -> None:
    params, code = REFUSED[name]
    with pytest.raises(ApiError) as refused:
        call(identity, "AssumeRole", **{"RoleArn": ROLE, "RoleSessionName": "ci", **params})
    assert refused.value.code == code


def test_a_chained_role_lasts_an_hour_at_most(identity: Identity) -> None:
    session = identity.sessions.assume(ROLE, "ci", 900).principal
    call(identity, "AssumeRole", session, RoleArn=ROLE, RoleSessionName="next", DurationSeconds=3600)
    with pytest.raises(ApiError, match="1 hour session limit"):
        call(identity, "AssumeRole", session, RoleArn=ROLE, RoleSessionName="next", DurationSeconds=3601)
    with pytest.raises(ApiError, match="session credentials"):
        call(identity, "GetSessionToken", session)
