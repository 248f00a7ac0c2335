"""Known answers: AWS's documentation examples and its published SigV4 test vectors; then the odd forms, by table."""

import hashlib

import pytest

from penstock.gateway.contract import HttpRequest
from penstock.identity.refusals import Reason, Refused
from penstock.identity.signature import (
    Claim,
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
    read_claim,
    sign,
    signing_key,
    string_to_sign,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
DAY = "20150830T123600Z"


def vector(method="GET", path="/", query="", service="service", body=b"", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    names = {"host": "example.amazonaws.com", "x-amz-date": DAY, **names}
    request = HttpRequest(method, path, query, names, body)
    claim = Claim("AKIDEXAMPLE", "20150830", "us-east-1", service, ";".join(sorted(names)), "", presigned=False)
    canonical = canonical_request(request, claim, hashlib.sha256(body).hexdigest())
    return sign(signing_key(SECRET, "20150830", "us-east-1", service), string_to_sign(claim, DAY, canonical))


VECTORS = {
    "iam list users (documentation)": (
        vector(
            query="Action=ListUsers&Version=2010-05-08",
            service="iam",
            host="iam.amazonaws.com",
            content_type="application/x-www-form-urlencoded; charset=utf-8",
        ),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
    "get-vanilla": (vector(), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-slash": (vector(path="//"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-relative": (
        vector(path="/example/.."),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-slash-pointless-dot": (
        vector(path="/./example"),
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    "get-space": (
        vector(path="/example space/"),
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    "get-utf8": (
        vector(path="/\u1234".encode().decode("latin-1")),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-vanilla-query-order-key-case": (
        vector(query="Param2=value2&Param1=value1"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-empty-query-key": (
        vector(query="Param1=value1"),
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    "get-header-key-duplicate": (
        vector(my_header1="value2,value2,value1"),
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    "post-vanilla": (vector("POST"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-header-key-sort": (
        vector("POST", my_header1="value1"),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors(name: str) -> None:
    got, expected = VECTORS[name]
    assert got == expected


def test_the_documented_signing_key() -> None:
    key = signing_key(SECRET, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


S3_HEADERS = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z"}


def s3_signature(request: HttpRequest, claim: Claim, payload: str) -> str:
    canonical = canonical_request(request, claim, payload)
    return sign(
        signing_key(S3_SECRET, "20130524", "us-east-1", "s3"), string_to_sign(claim, "20130524T000000Z", canonical)
    )


def test_the_documented_s3_get_with_a_range() -> None:
    headers = {**S3_HEADERS, "range": "bytes=0-9", "x-amz-content-sha256": EMPTY}
    claim = Claim("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", ";".join(sorted(headers)), "", presigned=False)
    got = s3_signature(HttpRequest("GET", "/test.txt", "", headers, b""), claim, EMPTY)
    assert got == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_the_documented_presigned_url() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    request = HttpRequest("GET", "/test.txt", query, S3_HEADERS, b"")
    claim = read_claim(request)
    assert claim.presigned
    assert dict(claim.query)["X-Amz-Expires"] == "86400"
    assert s3_signature(request, claim, "UNSIGNED-PAYLOAD") == claim.signature


PATHS = {
    "empty": ("", "lambda", "/"),
    "root": ("/", "lambda", "/"),
    "plain": ("/2015-03-31/functions/orders/invocations", "lambda", "/2015-03-31/functions/orders/invocations"),
    "trailing slash": ("/2015-03-31/functions/", "lambda", "/2015-03-31/functions/"),
    "double encoded": ("/functions/arn%3Aaws%3Alambda", "lambda", "/functions/arn%253Aaws%253Alambda"),
    "dollar": ("/functions/$LATEST", "lambda", "/functions/%24LATEST"),
    "above the root": ("/../../a", "lambda", "/a"),
    "dots that are no segment": ("/a/..b/.c.", "lambda", "/a/..b/.c."),
    "s3 keeps slashes and dots": ("/bucket//a/../b", "s3", "/bucket//a/../b"),
    "s3 keeps an encoded slash": ("/bucket/a%2Fb", "s3", "/bucket/a%2Fb"),
    "s3 encodes once, in upper case": ("/bucket/a%3ab c", "s3", "/bucket/a%3Ab%20c"),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str) -> None:
    path, service, expected = PATHS[name]
    assert canonical_path(path, service) == expected


def test_a_hostile_path_costs_no_backtracking() -> None:
    assert canonical_path("/" + "a" * 200_000 + "!", "lambda").endswith("%21")


QUERIES = {
    "none": ("", ""),
    "a name alone": ("marker", "marker="),
    "values sort within a name": ("a=2&a=1&A=3", "A=3&a=1&a=2"),
    "encoded in upper case": ("a=%2f%3d", "a=%2F%3D"),
    "unreserved are decoded": ("a=%7E%2D", "a=~-"),
    "empty pairs": ("&&a=1&", "a=1"),
    "an equals sign in the value": ("a=b=c", "a=b%3Dc"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries(name: str) -> None:
    query, expected = QUERIES[name]
    assert canonical_query(query, presigned=False) == expected


def test_white_space_in_headers_is_trimmed_and_folded() -> None:
    assert canonical_headers({"a": "  x \t  y  ", "b": ""}, ["a", "b"]) == "a:x y\nb:\n"


GOOD = "Credential=AKID/20150830/us-east-1/lambda/aws4_request"
MALFORMED = {
    "another scheme": "Bearer abc",
    "signature version 2": "AWS AKID:signature",
    "SigV4A": f"AWS4-ECDSA-P256-SHA256 {GOOD}, SignedHeaders=host, Signature=00",
    "nothing after the algorithm": "AWS4-HMAC-SHA256",
    "no signature": f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=host",
    "no signed headers": f"AWS4-HMAC-SHA256 {GOOD}, Signature=00",
    "an empty signature": f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=host, Signature=",
    "twice the same part": f"AWS4-HMAC-SHA256 {GOOD}, {GOOD}, SignedHeaders=host, Signature=00",
    "not a pair": f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders, Signature=00",
    "a short scope": "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1, SignedHeaders=host, Signature=00",
    "another terminator": "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/s3/aws5, SignedHeaders=host, Signature=00",
    "an empty region": "AWS4-HMAC-SHA256 Credential=A/20150830//s3/aws4_request, SignedHeaders=host, Signature=00",
    "host is not signed": f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=x-amz-date, Signature=00",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_authorization_headers(name: str) -> None:
    with pytest.raises(Refused) as refused:
        read_claim(HttpRequest("GET", "/", "", {"authorization": MALFORMED[name], "host": "h"}, b""))
    assert refused.value.reason is Reason.INCOMPLETE


MALFORMED_QUERIES = {
    "no algorithm": "X-Amz-Signature=00&X-Amz-Credential=A/20150830/r/s3/aws4_request&X-Amz-SignedHeaders=host",
    "algorithm alone": "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "a parameter twice": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0",
    "SigV4A": "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Signature=00",
}


@pytest.mark.parametrize("name", MALFORMED_QUERIES)
def test_malformed_presigned_queries(name: str) -> None:
    with pytest.raises(Refused) as refused:
        read_claim(HttpRequest("GET", "/", MALFORMED_QUERIES[name], {"host": "h"}, b""))
    assert refused.value.reason is Reason.INCOMPLETE


def test_two_ways_of_signing_at_once_are_refused() -> None:
    request = HttpRequest("GET", "/", "X-Amz-Signature=00", {"authorization": "AWS4-HMAC-SHA256 x"}, b"")
    with pytest.raises(Refused, match="not with both"):
        read_claim(request)


def test_no_signature_at_all_has_its_own_reason() -> None:
    with pytest.raises(Refused) as refused:
        read_claim(HttpRequest("GET", "/", "", {"host": "h"}, b""))
    assert refused.value.reason is Reason.MISSING
