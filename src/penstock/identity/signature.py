"""Signature Version 4, the reading side: what was signed, and what the signature should be. Pure.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Rule: anything
malformed raises `Refused`, whatever bytes come in.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from penstock.gateway.contract import HttpRequest
from penstock.identity.refusals import Reason, Refused

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?\Z")
"""A path that normalising and encoding leave as it is: nearly every request's."""
SIGNATURE = re.compile(r"[0-9a-f]{64}\Z")
SCOPE_PART = re.compile(r"[A-Za-z0-9._-]+\Z")


class Claim(NamedTuple):
    """What a request says about its own signature. A tuple because one is made for every request."""

    access_key: str
    date: str
    """`YYYYMMDD` of the credential scope."""
    region: str
    service: str
    signed_headers: str
    """Lower-case names joined by semicolons, as sent."""
    signature: str
    presigned: bool
    query: tuple[tuple[str, str], ...] = ()
    """The presigned query's own X-Amz-… parameters, decoded."""

    @property
    def scope(self) -> str:
        """The credential scope that is signed."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(request: HttpRequest) -> Claim:
    """The claim in the Authorization header or in the query."""
    header = request.headers.get("authorization")
    presigned = "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query
    if header and presigned:
        raise Refused(Reason.INCOMPLETE, "Sign with the Authorization header or with the query string, not with both.")
    if header:
        return _from_header(header)
    if presigned:
        return _from_query(request.query)
    raise Refused(
        Reason.MISSING,
        "Missing Authentication Token: the request is not signed. Sign it with Signature Version 4; "
        "`penstock env` prints the key to use.",
    )


def canonical_request(request: HttpRequest, claim: Claim, payload_hash: str) -> str:
    """What the client must have hashed."""
    names = claim.signed_headers.split(";")
    return "\n".join(
        (
            request.method.upper(),
            canonical_path(request.path, claim.service),
            canonical_query(request.query, presigned=claim.presigned),
            canonical_headers(request.headers, names),
            claim.signed_headers,
            payload_hash,
        )
    )


def canonical_path(path: str, service: str) -> str:
    """S3 keys are encoded once and kept as they are; elsewhere the path is normalised and encoded a second time."""
    if PLAIN_PATH.match(path):
        return path or "/"
    if service.startswith("s3"):
        return "/".join([quote(unquote_to_bytes(segment), safe="~") for segment in path.split("/")])
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    tail = "/" if kept and path.endswith("/") else ""
    return quote("/" + "/".join(kept) + tail, safe="/~", encoding="latin-1", errors="replace")


def canonical_query(query: str, *, presigned: bool) -> str:
    """Parameters sorted by encoded name, then value; the signature itself is not signed."""
    if not query:
        return ""
    pairs = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if pair and not (presigned and name == "X-Amz-Signature"):
            pairs.append((_encoded(name), _encoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_headers(headers: Mapping[str, str], names: list[str]) -> str:
    """One `name:value` line each, white space trimmed and runs of it made one space; a closing line end."""
    try:
        return "".join([f"{name}:{' '.join(headers[name].split())}\n" for name in names])
    except KeyError as missing:
        raise Refused(
            Reason.MISMATCH,
            f"SignedHeaders names {missing}, which the request does not carry: something between "
            "client and server removed it.",
        ) from None


def string_to_sign(claim: Claim, timestamp: str, canonical: str) -> str:
    """What the signing key signs."""
    return f"{ALGORITHM}\n{timestamp}\n{claim.scope}\n{hashlib.sha256(octets(canonical)).hexdigest()}"


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Good for one day, region and service; worth keeping."""
    key = hmac.digest(b"AWS4" + secret.encode(), octets(date), "sha256")
    for part in (region, service, "aws4_request"):
        key = hmac.digest(key, octets(part), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """The signature, 64 hexadecimal digits."""
    return Signer(key).sign(text)


class Signer:
    """HMAC-SHA256 with a key that is used again and again.

    Both hashes begin with the key, so that beginning is computed once; and unlike `hmac.digest`, small hashes keep the
    interpreter's lock, which a busy thread would give back only after a while.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """`key` has at most 64 bytes, as signing keys do."""
        padded = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in padded))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in padded))

    def sign(self, text: str) -> str:
        """The signature, 64 hexadecimal digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(octets(text))
        outer.update(inner.digest())
        return outer.hexdigest()


def octets(text: str) -> bytes:
    """The bytes that were on the wire: header values arrive decoded as Latin-1, one character a byte."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _encoded(text: str) -> str:
    return text if text.isalnum() and text.isascii() else quote(unquote_to_bytes(text), safe="-_.~")


def _from_header(header: str) -> Claim:
    start, mark, signature = header.rpartition("Signature=")
    if mark and SIGNATURE.match(signature):
        return _read_start(start)._replace(signature=signature)
    return _read_header(header)


@lru_cache(maxsize=1024)
def _read_start(start: str) -> Claim:
    """All but the signature, which is the same for every request that one client signs on one day."""
    return _read_header(f"{start}Signature=-")


def _read_header(header: str) -> Claim:
    algorithm, _, rest = header.strip().partition(" ")
    _check_algorithm(algorithm)
    given = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in given:
            raise Refused(
                Reason.INCOMPLETE, f"{part.strip()!r} is not a key=value pair, or comes twice, in Authorization."
            )
        given[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not given.get(name)]
    if missing:
        raise Refused(Reason.INCOMPLETE, f"Authorization header requires {' and '.join(missing)}.")
    return _claim(given["Credential"], given["SignedHeaders"], given["Signature"], ())


def _from_query(query: str) -> Claim:
    given: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name.startswith("X-Amz-"):
            if name in given:
                raise Refused(Reason.INCOMPLETE, f"The query parameter {name} comes twice.")
            given[name] = unquote_to_bytes(value).decode("latin-1")
    _check_algorithm(given.get("X-Amz-Algorithm", ""))
    wanted = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
    missing = [name for name in wanted if not given.get(name)]
    if missing:
        raise Refused(Reason.INCOMPLETE, f"A presigned request requires the query parameters {' and '.join(missing)}.")
    return _claim(
        given["X-Amz-Credential"], given["X-Amz-SignedHeaders"], given["X-Amz-Signature"], tuple(given.items())
    )


def _claim(credential: str, signed_headers: str, signature: str, query: tuple[tuple[str, str], ...]) -> Claim:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(SCOPE_PART.match(part) for part in parts):
        raise Refused(
            Reason.INCOMPLETE,
            f"Credential must read KEY/YYYYMMDD/region/service/aws4_request, got {credential[:200]!r}.",
        )
    if "host" not in signed_headers.split(";"):
        raise Refused(Reason.INCOMPLETE, "SignedHeaders must contain host.")
    return Claim(parts[0], parts[1], parts[2], parts[3], signed_headers, signature, bool(query), query)


def _check_algorithm(algorithm: str) -> None:
    if algorithm == ALGORITHM:
        return
    if algorithm.startswith("AWS4-ECDSA"):
        raise Refused(
            Reason.INCOMPLETE,
            f"{algorithm} (SigV4A, several regions) is not served: sign with {ALGORITHM} for one region.",
        )
    raise Refused(Reason.INCOMPLETE, f"Unsupported signing algorithm {algorithm[:100]!r}: sign with {ALGORITHM}.")
