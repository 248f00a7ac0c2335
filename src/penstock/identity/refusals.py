"""Authentication's refusals, in the words each kind of AWS service uses. Rule: an SDK must recognise every one.

Retry and clock-skew handling in the SDKs goes by the code, and the codes differ by protocol family:
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (query),
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html (json),
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (s3).
"""

from enum import StrEnum

from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest


class Family(StrEnum):
    """How a request speaks, which decides how its errors are named."""

    QUERY = "query"
    JSON = "json"
    REST = "rest"
    S3 = "s3"


class Reason(StrEnum):
    """Why a caller was not let in."""

    MISSING = "missing"
    """No signature at all."""
    INCOMPLETE = "incomplete"
    """A signature that cannot be read."""
    UNKNOWN_KEY = "unknown-key"
    MISMATCH = "mismatch"
    """The signature is not ours for this request and key."""
    SKEWED = "skewed"
    """Signed too long ago, or in the future."""
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - a reason, not a secret
    REQUEST_EXPIRED = "request-expired"
    """A presigned URL after its X-Amz-Expires."""
    BODY_MISMATCH = "body-mismatch"
    """The body is not the one whose hash was signed."""


JSON_CODES = {
    Reason.MISSING: ("MissingAuthenticationTokenException", 400),
    Reason.INCOMPLETE: ("IncompleteSignatureException", 400),
    Reason.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
    Reason.MISMATCH: ("InvalidSignatureException", 400),
    Reason.SKEWED: ("InvalidSignatureException", 400),
    Reason.TOKEN_EXPIRED: ("ExpiredTokenException", 400),
    Reason.REQUEST_EXPIRED: ("InvalidSignatureException", 400),
    Reason.BODY_MISMATCH: ("InvalidSignatureException", 400),
}

CODES: dict[Family, dict[Reason, tuple[str, int]]] = {
    Family.JSON: JSON_CODES,
    # Services of the REST kind use the JSON services' names but answer 403, as Lambda does.
    Family.REST: {reason: (code, 403) for reason, (code, _) in JSON_CODES.items()},
    Family.QUERY: {
        Reason.MISSING: ("MissingAuthenticationToken", 403),
        Reason.INCOMPLETE: ("IncompleteSignature", 400),
        Reason.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
        Reason.MISMATCH: ("SignatureDoesNotMatch", 403),
        Reason.SKEWED: ("SignatureDoesNotMatch", 403),
        Reason.TOKEN_EXPIRED: ("ExpiredToken", 403),
        Reason.REQUEST_EXPIRED: ("RequestExpired", 400),
        Reason.BODY_MISMATCH: ("SignatureDoesNotMatch", 403),
    },
    Family.S3: {
        Reason.MISSING: ("AccessDenied", 403),
        Reason.INCOMPLETE: ("AuthorizationHeaderMalformed", 400),
        Reason.UNKNOWN_KEY: ("InvalidAccessKeyId", 403),
        Reason.MISMATCH: ("SignatureDoesNotMatch", 403),
        Reason.SKEWED: ("RequestTimeTooSkewed", 403),
        Reason.TOKEN_EXPIRED: ("ExpiredToken", 400),
        Reason.REQUEST_EXPIRED: ("AccessDenied", 403),
        Reason.BODY_MISMATCH: ("XAmzContentSHA256Mismatch", 400),
    },
}


class Refused(Exception):  # noqa: N818 - reads as what happened
    """Raised by the pure rules, which do not know the protocol; the authenticator gives it the right name."""

    def __init__(self, reason: Reason, message: str) -> None:
        """`message` is what the caller will read."""
        super().__init__(message)
        self.reason = reason
        self.message = message


def family(request: HttpRequest, service: str) -> Family:
    """How the request speaks; `service` is what its signature names, or empty when nobody knows."""
    if service.startswith("s3"):
        return Family.S3
    headers = request.headers
    if "x-amz-target" in headers or headers.get("smithy-protocol", "") == "rpc-v2-cbor":
        return Family.JSON
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return Family.QUERY if form or "Action=" in request.query else Family.REST


def refusal(request: HttpRequest, service: str, refused: Refused) -> ApiError:
    """The error that a client of this kind of service expects."""
    code, status = CODES[family(request, service)][refused.reason]
    return ApiError(code, refused.message, status=status)
