"""Where AWS's services do not do what their models say, one entry each, with the proof.

Rule: nothing here without a documentation address or the behaviour of an SDK that shows it.
"""

from types import MappingProxyType

from penstock.gateway.models import Service

# Authentication refusals are named by the protocol, not by the service: query says `SignatureDoesNotMatch`, JSON says
# `InvalidSignatureException`. https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html against
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html; botocore's
# `retries/standard.py` and every SDK's clock-skew correction list both spellings.
AUTH_CODES_OUTSIDE_QUERY = MappingProxyType(
    {
        "SignatureDoesNotMatch": "InvalidSignatureException",
        "InvalidClientTokenId": "UnrecognizedClientException",
        "MissingAuthenticationToken": "MissingAuthenticationTokenException",
        "IncompleteSignature": "IncompleteSignatureException",
        "ExpiredToken": "ExpiredTokenException",
        "AccessDenied": "AccessDeniedException",
        "RequestExpired": "InvalidSignatureException",
    }
)
AUTH_CODES_IN_QUERY = MappingProxyType(
    {new: old for old, new in AUTH_CODES_OUTSIDE_QUERY.items() if old != "RequestExpired"}
)

# HTTP status of codes that are in no model. JSON-RPC services answer 400 for what REST and query call 403: compare the
# two CommonErrors pages above.
STATUS = MappingProxyType(
    {
        "InvalidSignatureException": 403,
        "UnrecognizedClientException": 403,
        "MissingAuthenticationTokenException": 403,
        "ExpiredTokenException": 403,
        "AccessDeniedException": 403,
        "SignatureDoesNotMatch": 403,
        "InvalidClientTokenId": 403,
        "MissingAuthenticationToken": 403,
        "ExpiredToken": 403,
        "AccessDenied": 403,
        "UnknownOperationException": 404,
        "RequestEntityTooLargeException": 413,
        "RequestTooLargeException": 413,
        "ThrottlingException": 429,
        "InternalFailure": 500,
        "InternalServerError": 500,
        "ServiceUnavailable": 503,
        "ServiceUnavailableException": 503,
    }
)
_FORBIDDEN_AS_400 = frozenset(code for code, status in STATUS.items() if status == 403)

# What a refused parameter is called. Lambda says ValidationException:
# https://github.com/aarondfrancis/sidecar/issues/147. Logs says InvalidParameterException:
# https://github.com/fluent-plugins-nursery/fluent-plugin-cloudwatch-logs/issues/223. Query services say
# ValidationError: https://github.com/terraform-linters/tflint/issues/101 (PutMetricAlarm).
VALIDATION_CODE = MappingProxyType({"logs": "InvalidParameterException"})


def validation_code(service: Service) -> str:
    """The code of a refusal by the model's constraints."""
    if service.query_compatible or service.protocols == ("query",):
        return "ValidationError"
    return VALIDATION_CODE.get(service.name, "ValidationException")


def status_of(code: str, protocol: str) -> int:
    """The HTTP status of a code that the service's model does not carry."""
    if protocol == "json" and code in _FORBIDDEN_AS_400:
        return 400
    return STATUS.get(code, 400)


def auth_code(code: str, protocol: str) -> str:
    """An authentication refusal's code as the protocol spells it."""
    if protocol == "query":
        return AUTH_CODES_IN_QUERY.get(code, code)
    return AUTH_CODES_OUTSIDE_QUERY.get(code, code)


# CreateFunction checks the runtime outside its framework, with another code and a longer sentence:
# https://github.com/aws/aws-cli/issues/3789 ("Value Provided at 'runtime' failed … or be a valid ARN").
RUNTIME_MEMBER = ("lambda", "Runtime")


def internal_code(service: Service | None) -> str:
    """What our own failure is called: Lambda has a modelled word for it, everyone knows `InternalFailure`."""
    return "ServiceException" if service is not None and service.name == "lambda" else "InternalFailure"


def too_large_code(service: Service | None) -> str:
    """A body over the limit. Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""
    known = service is not None and "RequestTooLargeException" in service.errors
    return "RequestTooLargeException" if known else "RequestEntityTooLargeException"


def invalid_codes(step: str) -> tuple[str, ...]:
    """What CodeDeploy may call a refused member.

    `applicationName` → `InvalidApplicationNameException`, `alarmConfiguration` → `InvalidAlarmConfigException`.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html#API_CreateDeploymentGroup_Errors
    """
    name = step[:1].upper() + step[1:]
    short = name.removesuffix("s").replace("Configuration", "Config")
    return (f"Invalid{name}Exception", f"Invalid{short}Exception", f"Invalid{short}ValueException")
