"""Agreement with botocore's own signers over random requests; every tampering refused; errors named per protocol."""

import hashlib
import time
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core.clock import MockClock
from penstock.core.dice import SeededDice
from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest
from penstock.identity.authenticator import CACHED, SKEW_S
from penstock.identity.room import Identity
from penstock.identity.signature import Claim, canonical_request, sign, signing_key, string_to_sign

ROLE = "arn:aws:iam::000000000000:role/deploy/orders"
shared = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def signed(
    identity: Identity,
    clock: MockClock,
    signer=SigV4Auth,
    *,
    method="POST",
    url="http://127.0.0.1:4566/2015-03-31/functions/orders/invocations",
    headers=None,
    body=b'{"id": 1}',
    service="lambda",
    keys=None,
    at=None,
    **more,
) -> HttpRequest:
    """A request signed by botocore, as the gateway would hand it over."""
    keys = keys or Credentials(identity.admin.access_key, identity.admin.secret_key)
    sent = AWSRequest(method=method, url=url, headers=dict(headers or {}), data=body)
    moment = datetime.fromtimestamp(clock.real() if at is None else at, UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer(keys, service, "us-east-1", **more).add_auth(sent)
    parts = urlsplit(sent.url)
    received = {name.lower(): value for name, value in sent.headers.items()}
    # The query signers move a body into the query, so what is sent is what is left of it.
    return HttpRequest(method, parts.path, parts.query, {"host": parts.netloc, **received}, sent.data or b"")


def altered(request: HttpRequest, **changes) -> HttpRequest:
    headers = {**request.headers, **changes.pop("headers", {})}
    return request._replace(headers=headers, **changes)


def refusal(identity: Identity, request: HttpRequest) -> ApiError:
    with pytest.raises(ApiError) as refused:
        identity.authenticator.authenticate(request)
    return refused.value


text = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=12)
paths = st.lists(text | st.sampled_from(["..", ".", "", "a b", "$LATEST", "%41"]), max_size=5)
queries = st.lists(st.tuples(text, text), max_size=5)
visible = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
extra_headers = st.dictionaries(st.sampled_from(["X-Amz-Target", "X-Amz-Meta", "Accept", "Content-Type"]), visible)


def url_of(segments: list[str], pairs: list[tuple[str, str]]) -> str:
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    return f"http://127.0.0.1:4566{path}" + (f"?{query}" if query else "")


@shared
@given(segments=paths, pairs=queries, headers=extra_headers, body=st.binary(max_size=50))
@pytest.mark.parametrize("signer", [SigV4Auth, S3SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth])
def test_what_botocore_signs_is_accepted(identity, clock, signer, segments, pairs, headers, body) -> None:
    service = "s3" if "S3" in signer.__name__ else "lambda"
    if "Query" in signer.__name__:
        body = b""
    request = signed(identity, clock, signer, url=url_of(segments, pairs), headers=headers, body=body, service=service)
    caller = identity.authenticator.authenticate(request)
    assert (caller.account, caller.region, caller.service) == ("000000000000", "us-east-1", service)
    assert caller.principal.arn == "arn:aws:iam::000000000000:user/admin"


@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
def test_a_session_is_accepted_as_its_role(identity, clock, signer) -> None:
    keys = Credentials(*identity.sessions.issue(ROLE, "orders").values())
    caller = identity.authenticator.authenticate(signed(identity, clock, signer, keys=keys))
    assert caller.principal.arn == "arn:aws:sts::000000000000:assumed-role/orders/orders"
    assert caller.principal.access_key.startswith("ASIA")


def test_the_date_header_serves_instead_of_x_amz_date(identity, clock) -> None:
    request = signed(identity, clock, headers={"Date": "now"})
    assert "x-amz-date" not in request.headers
    identity.authenticator.authenticate(request)


TAMPERINGS = {
    "method": lambda r: altered(r, method="PUT"),
    "path": lambda r: altered(r, path="/2015-03-31/functions/payments/invocations"),
    "query": lambda r: altered(r, query="Qualifier=live"),
    "body": lambda r: altered(r, body=b'{"id": 2}'),
    "host": lambda r: altered(r, headers={"host": "elsewhere"}),
    "a signed header": lambda r: altered(r, headers={"x-amz-client-context": "other"}),
    "an added x-amz header": lambda r: altered(r, headers={"x-amz-invocation-type": "Event"}),
    "a signed header removed": lambda r: HttpRequest(
        r.method, r.path, r.query, {n: v for n, v in r.headers.items() if n != "x-amz-client-context"}, r.body
    ),
    "date within the window": lambda r: altered(r, headers={"x-amz-date": "20270115T080001Z"}),
    "signature": lambda r: altered(r, headers={"authorization": r.headers["authorization"][:-4] + "0000"}),
    "signature cut short": lambda r: altered(r, headers={"authorization": r.headers["authorization"][:-1]}),
    "region": lambda r: altered(
        r, headers={"authorization": r.headers["authorization"].replace("us-east-1", "eu-west-1")}
    ),
    "service": lambda r: altered(r, headers={"authorization": r.headers["authorization"].replace("/lambda/", "/sts/")}),
    "a signature that is not ASCII": lambda r: altered(
        r, headers={"authorization": r.headers["authorization"] + "é\u1234"}
    ),
}


@pytest.mark.parametrize("part", TAMPERINGS)
def test_tampering_is_refused(identity, clock, part) -> None:
    request = signed(identity, clock, headers={"X-Amz-Client-Context": "e30="})
    identity.authenticator.authenticate(request)
    error = refusal(identity, TAMPERINGS[part](request))
    assert (error.code, error.status) == ("InvalidSignatureException", 403)


def test_a_body_other_than_its_stated_hash_is_refused(identity, clock) -> None:
    request = signed(identity, clock, S3SigV4Auth, service="s3")
    assert refusal(identity, altered(request, body=b"other")).code == "XAmzContentSHA256Mismatch"


@pytest.mark.parametrize("stated", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "nonsense"])
def test_an_unsigned_body_is_not_taken_outside_s3(identity, clock, stated) -> None:
    request = signed(identity, clock, headers={"X-Amz-Content-Sha256": stated})
    assert refusal(identity, request).status == 403


def test_the_mismatch_message_shows_what_should_have_been_signed(identity, clock) -> None:
    message = refusal(identity, altered(signed(identity, clock), method="PUT")).message
    assert "PUT\n/2015-03-31/functions/orders/invocations\n" in message
    assert "AWS4-HMAC-SHA256\n20270115T080000Z\n20270115/us-east-1/lambda/aws4_request\n" in message
    assert identity.admin.secret_key not in message


FAMILIES = {
    "query": ("sts", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}),
    "json": ("logs", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}),
    "cbor": ("monitoring", {"smithy-protocol": "rpc-v2-cbor"}),
    "rest": ("lambda", {}),
    "s3": ("s3", {}),
}
JSON_NAMES = (
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "InvalidSignatureException",
    "ExpiredTokenException",
)
WRONG = {
    # family: unknown key, wrong secret, skew, expired token
    "query": ("InvalidClientTokenId", "SignatureDoesNotMatch", "SignatureDoesNotMatch", "ExpiredToken"),
    "json": JSON_NAMES,
    "cbor": JSON_NAMES,
    "rest": JSON_NAMES,
    "s3": ("InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_kind_of_service_names_its_errors(identity, clock, family) -> None:
    service, headers = FAMILIES[family]
    admin = identity.admin
    session = Credentials(*identity.sessions.issue(ROLE, "orders").values())

    def code(**how) -> str:
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        return refusal(identity, signed(identity, clock, signer, service=service, headers=headers, **how)).code

    got = [
        code(keys=Credentials("AKIAUNKNOWNUNKNOWN22", "x")),
        code(keys=Credentials(admin.access_key, "x")),
        code(at=clock.real() - SKEW_S - 1),
    ]
    clock.move(12 * 3600 + 1)
    got.append(code(keys=session))
    assert tuple(got) == WRONG[family]


SKEWS = {
    "the oldest": (-SKEW_S, None),
    "too old": (-SKEW_S - 1, "Signature expired"),
    "the most future": (SKEW_S, None),
    "too far in the future": (SKEW_S + 1, "Signature not yet current"),
}


@pytest.mark.parametrize("name", SKEWS)
def test_clock_skew(identity, clock, name) -> None:
    offset, said = SKEWS[name]
    request = signed(identity, clock, at=clock.real() + offset)
    if said is None:
        identity.authenticator.authenticate(request)
    else:
        assert refusal(identity, request).message.startswith(said)


def test_a_signing_key_of_another_day_is_refused(identity, clock) -> None:
    """A key that leaked for one day must not sign requests of the next, however right the signature is."""
    headers = {"host": "h", "x-amz-date": "20270115T080000Z"}
    claim = Claim(identity.admin.access_key, "20270114", "us-east-1", "lambda", "host;x-amz-date", "", presigned=False)
    canonical = canonical_request(HttpRequest("GET", "/", "", headers, b""), claim, hashlib.sha256(b"").hexdigest())
    key = signing_key(identity.admin.secret_key, "20270114", "us-east-1", "lambda")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={claim.access_key}/{claim.scope}, SignedHeaders={claim.signed_headers}, "
        f"Signature={sign(key, string_to_sign(claim, '20270115T080000Z', canonical))}"
    )
    assert "Date in Credential scope" in refusal(identity, HttpRequest("GET", "/", "", headers, b"")).message


def test_a_presigned_url_lives_as_long_as_it_says(identity, clock) -> None:
    request = signed(identity, clock, SigV4QueryAuth, expires=3600)
    clock.move(3600)
    identity.authenticator.authenticate(request)
    clock.move(1)
    assert "expired" in refusal(identity, request).message


@pytest.mark.parametrize("expires", [0, -1, 604_801, "9" * 30, "soon", "²"])
def test_a_presigned_url_lives_a_week_at_most(identity, clock, expires) -> None:
    request = signed(identity, clock, SigV4QueryAuth, expires=expires)
    assert refusal(identity, request).code == "IncompleteSignatureException"


def test_a_stolen_key_id_without_its_token_is_unknown(identity, clock) -> None:
    keys = identity.sessions.issue(ROLE, "orders")
    bare = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    assert "session token" in refusal(identity, signed(identity, clock, keys=bare)).message


def test_a_token_belongs_to_its_own_key(identity, clock) -> None:
    one, two = (identity.sessions.issue(ROLE, name) for name in ("one", "two"))
    mixed = Credentials(one["AWS_ACCESS_KEY_ID"], one["AWS_SECRET_ACCESS_KEY"], two["AWS_SESSION_TOKEN"])
    assert refusal(identity, signed(identity, clock, keys=mixed)).code == "UnrecognizedClientException"


def test_a_session_of_another_server_is_unknown(identity, clock, tmp_path) -> None:
    other = Identity(data=tmp_path / "other", account="000000000000", clock=clock, dice=SeededDice(8))
    foreign = Credentials(*other.sessions.issue(ROLE, "orders").values())
    assert refusal(identity, signed(identity, clock, keys=foreign)).code == "UnrecognizedClientException"


def test_a_session_of_another_account_is_unknown(identity, clock) -> None:
    foreign = Credentials(*identity.sessions.issue(ROLE.replace("0" * 12, "1" * 12), "orders").values())
    assert refusal(identity, signed(identity, clock, keys=foreign)).code == "UnrecognizedClientException"


def test_the_caches_are_bounded(identity, clock) -> None:
    for number in range(CACHED + 10):
        keys = Credentials(*identity.sessions.issue(ROLE, f"s{number}").values())
        identity.authenticator.authenticate(signed(identity, clock, keys=keys))
    assert len(identity.authenticator._keys) == CACHED
    assert len(identity.sessions._opened) <= CACHED


GARBAGE_DATES = [
    "",
    "x",
    "20270115",
    "20271315T080000Z",
    "20270115T256199Z",
    "00000000T000000Z",
    "²0270115T080000Z",
    "Thu, 99",
]


@pytest.mark.parametrize("date", GARBAGE_DATES)
@pytest.mark.parametrize("header", ["x-amz-date", "date"])
def test_garbage_dates(identity, clock, header, date) -> None:
    request = signed(identity, clock)
    headers = {name: value for name, value in request.headers.items() if name != "x-amz-date"}
    headers[header] = date
    error = refusal(identity, HttpRequest(request.method, request.path, request.query, headers, request.body))
    assert error.code in ("IncompleteSignatureException", "InvalidSignatureException")


anything = st.text(st.characters(max_codepoint=255), max_size=80)
pieces = st.sampled_from(
    [
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        "SignedHeaders=",
        "Signature=",
        "/aws4_request",
        "host",
        ";",
        ",",
        "=",
        "A/20270115/r/s3",
    ]
)
query_pieces = st.sampled_from(["X-Amz-Signature=", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "&", "%"])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    authorization=st.lists(anything | pieces, max_size=8).map("".join),
    query=st.lists(anything | query_pieces, max_size=8).map("".join),
    path=anything,
    date=anything,
    token=anything,
)  # fmt: skip
def test_garbage_is_always_refused_and_never_breaks(identity, authorization, query, path, date, token) -> None:
    headers = {"host": "h", "authorization": authorization, "x-amz-date": date, "x-amz-security-token": token}
    error = refusal(identity, HttpRequest("GET", path, query, headers, b""))
    assert error.status is not None
    assert 400 <= error.status < 500


def test_a_verification_is_cheap_enough_for_every_invoke(identity, clock) -> None:
    request = signed(identity, clock)
    identity.authenticator.authenticate(request)
    best = min(_seconds(identity, request) for _ in range(5))
    assert best / 200 < 0.001, "a verify should take tens of microseconds, not a millisecond"


def _seconds(identity: Identity, request: HttpRequest) -> float:
    start = time.perf_counter()
    for _ in range(200):
        identity.authenticator.authenticate(request)
    return time.perf_counter() - start
