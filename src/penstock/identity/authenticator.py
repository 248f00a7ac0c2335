"""Finds out who signed a request. Rule: every call is checked in full, so this is fast instead of skipped.

Clock skew: AWS documents "within five minutes" for most services and fifteen in its errors and for STS and S3; we take
fifteen everywhere, both ways, by the machine's real clock (business time may run faster and must not break signing).
"""

import calendar
import hashlib
import hmac
import re
import time
from email.utils import parsedate_to_datetime
from functools import lru_cache

from penstock.core.clock import Clock
from penstock.core.context import Principal
from penstock.gateway.contract import Caller, HttpRequest
from penstock.identity.model import KeyPair
from penstock.identity.refusals import Reason, Refused, refusal
from penstock.identity.sessions import Sessions
from penstock.identity.signature import (
    UNSIGNED,
    Claim,
    Signer,
    canonical_request,
    octets,
    read_claim,
    signing_key,
    string_to_sign,
)

SKEW_S = 15 * 60
LONGEST_S = 7 * 24 * 3600
CACHED = 1024
STAMP = "%Y%m%dT%H%M%SZ"
TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")
INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - AWS's message


class SigV4Authenticator:
    """Fills `gateway.contract.Authenticator` for the admin's key and for sessions."""

    def __init__(self, admin: KeyPair, account: str, sessions: Sessions, clock: Clock):
        """Knows one long-lived key; everything else proves itself by its session token."""
        self._admin = admin
        self._account = account
        self._sessions = sessions
        self._clock = clock
        self._keys: dict[tuple[str, str, str, str], Signer] = {}

    def authenticate(self, request: HttpRequest) -> Caller:
        """The caller. Raises `ApiError` with the code that the called kind of service uses."""
        service = ""
        try:
            claim = read_claim(request)
            service = claim.service
            return self._verified(request, claim)
        except Refused as refused:
            raise refusal(request, service, refused) from None

    def _verified(self, request: HttpRequest, claim: Claim) -> Caller:
        query = dict(claim.query)
        secret, principal, account, expires_at = self._credentials(request, claim, query)
        now = self._clock.real()
        timestamp = _timestamp(request, claim, query)
        _check_time(timestamp, now, claim, query)
        _check_unsigned(request, claim)
        canonical = canonical_request(request, claim, _payload_hash(request, claim, query))
        text = string_to_sign(claim, timestamp, canonical)
        expected = self._signer(claim, secret).sign(text)
        if not hmac.compare_digest(expected.encode(), octets(claim.signature)):
            raise Refused(Reason.MISMATCH, _mismatch(canonical, text))
        if expires_at is not None and expires_at <= now:
            raise Refused(
                Reason.TOKEN_EXPIRED, "The security token included in the request is expired: ask for new credentials."
            )
        return Caller(principal, account, claim.region, claim.service)

    def _credentials(
        self, request: HttpRequest, claim: Claim, query: dict[str, str]
    ) -> tuple[str, Principal, str, float | None]:
        token = query.get("X-Amz-Security-Token") or request.headers.get("x-amz-security-token")
        if token is None:
            if claim.access_key == self._admin.access_key:
                return self._admin.secret_key, self._admin.principal, self._account, None
            raise Refused(Reason.UNKNOWN_KEY, INVALID_TOKEN + _hint(claim.access_key))
        session = self._sessions.open(token)
        if session is None or session.access_key != claim.access_key or session.account != self._account:
            raise Refused(Reason.UNKNOWN_KEY, INVALID_TOKEN)
        return session.secret_key, session.principal, session.account, session.expires_at

    def _signer(self, claim: Claim, secret: str) -> Signer:
        name = (claim.access_key, claim.date, claim.region, claim.service)
        key = self._keys.get(name)
        if key is None:
            if len(self._keys) >= CACHED:
                del self._keys[next(iter(self._keys))]
            key = self._keys[name] = Signer(signing_key(secret, claim.date, claim.region, claim.service))
        return key


def _hint(access_key: str) -> str:
    if access_key.startswith("ASIA"):
        return " Temporary credentials need their session token along."
    return " This server knows no such access key: `penstock env` prints the one it made."


def _timestamp(request: HttpRequest, claim: Claim, query: dict[str, str]) -> str:
    given = query["X-Amz-Date"] if claim.presigned else request.headers.get("x-amz-date")
    if given is None:
        given = _from_date_header(request.headers.get("date"))
    if not TIMESTAMP.match(given):
        raise Refused(Reason.INCOMPLETE, f"The date must read like 20260131T235959Z (UTC), got {given[:100]!r}.")
    if given[:8] != claim.date:
        raise Refused(
            Reason.MISMATCH,
            f"Date in Credential scope does not match the request's date: {claim.date} and {given[:8]}.",
        )
    return given


def _from_date_header(value: str | None) -> str:
    if not value:
        raise Refused(Reason.INCOMPLETE, "The request needs an X-Amz-Date or a Date header.")
    if "," not in value and " " not in value:
        return value
    try:
        return time.strftime(STAMP, parsedate_to_datetime(value).utctimetuple())
    except (ValueError, OverflowError):
        raise Refused(Reason.INCOMPLETE, f"The Date header {value[:100]!r} is not a date.") from None


def _check_time(timestamp: str, now: float, claim: Claim, query: dict[str, str]) -> None:
    signed_at = _epoch(timestamp)
    if signed_at > now + SKEW_S:
        raise Refused(
            Reason.SKEWED,
            f"Signature not yet current: {timestamp} is still later than {_stamp(now + SKEW_S)} "
            f"({_stamp(now)} + 15 min.). Set the client's clock.",
        )
    if claim.presigned and ("X-Amz-Expires" in query or claim.service.startswith("s3")):
        if now > signed_at + _lifetime(query):
            raise Refused(
                Reason.REQUEST_EXPIRED,
                f"Request has expired: signed at {timestamp} for {query['X-Amz-Expires']} s, and it is {_stamp(now)}.",
            )
    elif signed_at < now - SKEW_S:
        raise Refused(
            Reason.SKEWED,
            f"Signature expired: {timestamp} is now earlier than {_stamp(now - SKEW_S)} "
            f"({_stamp(now)} - 15 min.). Set the client's clock.",
        )


def _lifetime(query: dict[str, str]) -> int:
    given = query.get("X-Amz-Expires", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 9) or not 0 < int(given) <= LONGEST_S:
        raise Refused(
            Reason.INCOMPLETE, f"X-Amz-Expires must be 1 to {LONGEST_S} seconds (a week), got {given[:50]!r}."
        )
    return int(given)


@lru_cache(maxsize=256)
def _epoch(timestamp: str) -> int:
    """`timegm` does not check ranges and strptime is slow, so the ranges are checked here."""
    year, month, day = int(timestamp[:4]), int(timestamp[4:6]), int(timestamp[6:8])
    hour, minute, second = int(timestamp[9:11]), int(timestamp[11:13]), int(timestamp[13:15])
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        raise Refused(Reason.INCOMPLETE, f"{timestamp} is not a time.")
    return calendar.timegm((year, month, day, hour, minute, second))


def _stamp(instant: float) -> str:
    return time.strftime(STAMP, time.gmtime(instant))


def _check_unsigned(request: HttpRequest, claim: Claim) -> None:
    """Every x-amz-… header means something to us, so one that is not signed could have been added on the way."""
    signed = claim.signed_headers.split(";")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signed:
            raise Refused(Reason.MISMATCH, f"The header {name} is in the request but not in SignedHeaders.")


def _payload_hash(request: HttpRequest, claim: Claim, query: dict[str, str]) -> str:
    is_s3 = claim.service.startswith("s3")
    stated = request.headers.get("x-amz-content-sha256") or query.get("X-Amz-Content-Sha256")
    if stated is None and is_s3 and claim.presigned:
        return UNSIGNED
    if stated == UNSIGNED and is_s3:
        return UNSIGNED
    actual = hashlib.sha256(request.body).hexdigest()
    if stated is None or stated == actual:
        return actual
    if stated == UNSIGNED or stated.startswith("STREAMING-"):
        raise Refused(
            Reason.INCOMPLETE,
            f"X-Amz-Content-SHA256: {stated[:100]} is not served for {claim.service}: sign the body's hash.",
        )
    raise Refused(
        Reason.BODY_MISMATCH, f"The body's SHA-256 is {actual}, but X-Amz-Content-SHA256 says {stated[:100]!r}."
    )


def _mismatch(canonical: str, text: str) -> str:
    return (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method.\n\n"
        f"The Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{text}'\n"
    )
