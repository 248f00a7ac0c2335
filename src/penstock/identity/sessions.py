"""Temporary credentials without a table: the session token is the record, sealed with the master key.

Rule: everything the authenticator needs is in the token, so a restart forgets no session and none needs cleaning up.
"""

import base64
import binascii
import json
from collections.abc import Mapping

from penstock.core.arns import parse_arn
from penstock.core.clock import Clock
from penstock.core.context import Principal
from penstock.core.dice import Dice
from penstock.identity.cipher import MasterCipher
from penstock.identity.ids import new_id, role_id
from penstock.identity.model import Session

FUNCTION_SESSION_S = 12 * 3600
"""How long a function's own credentials live: an environment older than this must be replaced."""
PURPOSE = "session-token"
CACHED = 512


class Sessions:
    """Issues sessions and opens their tokens. Fills `execution.model.RoleCredentials`."""

    def __init__(self, cipher: MasterCipher, clock: Clock, dice: Dice):
        """Expiry follows `clock.real()`: SDKs compare it with the machine's own time."""
        self._cipher = cipher
        self._clock = clock
        self._dice = dice
        self._opened: dict[str, Session] = {}

    def issue(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        """A function's credentials, as its environment variables, for `FUNCTION_SESSION_S`."""
        session = self.assume(role_arn, session_name, FUNCTION_SESSION_S)
        return {
            "AWS_ACCESS_KEY_ID": session.access_key,
            "AWS_SECRET_ACCESS_KEY": session.secret_key,
            "AWS_SESSION_TOKEN": session.token,
        }

    def assume(self, role_arn: str, session_name: str, duration_s: float) -> Session:
        """Credentials of a role. Raises `ValueError` when `role_arn` is not a role's ARN."""
        role = parse_arn(role_arn)
        if role is None or role.service != "iam" or not role.resource.startswith("role/"):
            raise ValueError(f"{role_arn} is not a role's ARN (arn:aws:iam::ACCOUNT:role/NAME)")
        name = role.resource.rsplit("/", 1)[1]  # the path of a role is not part of its sessions' ARN
        return self._new(
            role.account,
            f"arn:{role.partition}:sts::{role.account}:assumed-role/{name}/{session_name}",
            f"{role_id(role_arn)}:{session_name}",
            duration_s,
        )

    def continue_as(self, principal: Principal, account: str, duration_s: float) -> Session:
        """Temporary credentials of a user who has long-lived ones (GetSessionToken)."""
        return self._new(account, principal.arn, principal.user_id, duration_s)

    def open(self, token: str) -> Session | None:
        """The session of a token, expired or not; None when we did not make the token."""
        known = self._opened.get(token)
        if known is None:
            known = self._unseal(token)
            if known is not None:
                if len(self._opened) >= CACHED:
                    del self._opened[next(iter(self._opened))]
                self._opened[token] = known
        return known

    def _new(self, account: str, arn: str, user_id: str, duration_s: float) -> Session:
        access_key = new_id("ASIA", self._dice)
        secret_key = base64.b64encode(self._dice.token(30)).decode()
        expires_at = float(int(self._clock.real() + duration_s))
        content = json.dumps([access_key, secret_key, account, arn, user_id, expires_at], separators=(",", ":"))
        token = base64.b64encode(self._cipher.encrypt(content.encode(), PURPOSE)).decode()
        return Session(access_key, secret_key, token, Principal(arn, user_id, access_key), account, expires_at)

    def _unseal(self, token: str) -> Session | None:
        try:
            content = self._cipher.decrypt(base64.b64decode(token, validate=True), PURPOSE)
        except (binascii.Error, ValueError):
            return None
        access_key, secret_key, account, arn, user_id, expires_at = json.loads(content)
        return Session(access_key, secret_key, token, Principal(arn, user_id, access_key), account, expires_at)
