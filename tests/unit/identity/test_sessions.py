"""Sessions live in their tokens: they outlive a restart, and a changed token is nobody's."""

import re

import pytest

from penstock.identity.room import Identity

ROLE = "arn:aws:iam::000000000000:role/service-role/orders"


def test_a_session_names_its_role_without_the_path(identity: Identity, clock) -> None:
    session = identity.sessions.assume(ROLE, "run", 900)
    assert session.principal.arn == "arn:aws:sts::000000000000:assumed-role/orders/run"
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:run", session.principal.user_id)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", session.access_key)
    assert session.expires_at == clock.real() + 900
    assert session.secret_key not in repr(session)
    assert identity.sessions.assume(ROLE, "run", 900).principal.user_id == session.principal.user_id


def test_a_restart_forgets_no_session(identity: Identity, clock, dice, tmp_path) -> None:
    session = identity.sessions.assume(ROLE, "run", 900)
    again = Identity(data=tmp_path / "data", account="000000000000", clock=clock, dice=dice)
    assert again.sessions.open(session.token) == session


@pytest.mark.parametrize("token", ["", "not base64!", "QUJD", "é", "A" * 400])
def test_what_is_no_token_opens_nothing(identity: Identity, token: str) -> None:
    assert identity.sessions.open(token) is None


def test_a_function_gets_exactly_three_variables(identity: Identity) -> None:
    assert set(identity.sessions.issue(ROLE, "orders")) == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }


@pytest.mark.parametrize("role", ["orders", "arn:aws:iam::000000000000:user/x", "arn:aws:s3:::bucket"])
def test_a_session_needs_a_role(identity: Identity, role: str) -> None:
    with pytest.raises(ValueError, match="not a role's ARN"):
        identity.sessions.issue(role, "run")
