"""A function's settings: from the members of a request to the fields of a version, with the rules no model carries.

Rule: pure; a member that is absent changes nothing. What we cannot honour yet is refused, never stored and ignored.
See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from penstock.core.arns import parse_arn
from penstock.registry.refusals import invalid, out_of_bounds

ENVIRONMENT_LIMIT = 4096
RESERVED_KEYS = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""

NOT_SERVED = (
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DurableConfig",
    "AcceleratorConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "PublishTo",
    "RuntimeConfig",
    "TenancyConfig",
)
BOUNDS = {"MemorySize": (128, 10240), "Timeout": (1, 900)}
"""AWS's limits for functions; the service model's are wider, for kinds of functions that we do not have."""
EPHEMERAL_BOUNDS = (512, 10240)


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The version fields that the request sets, its environment variables aside. Raises `ApiError`."""
    _check_served(params)
    for member, (least, most) in BOUNDS.items():
        if member in params:
            _check_bounds(params[member], member[0].lower() + member[1:], least, most)
    given: dict[str, Any] = {}
    for member, read in READERS.items():
        if params.get(member) is not None:
            given |= read(params[member])
    return given


def variables(params: Mapping[str, Any]) -> dict[str, str] | None:
    """The environment variables that the request sets, or None when it leaves them alone. Raises `ApiError`."""
    if params.get("Environment") is None:
        return None
    found = dict(params["Environment"].get("Variables") or {})
    reserved = sorted(found.keys() & RESERVED_KEYS)
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used "
            f"in this request: {', '.join(reserved)}"
        )
    size = len(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))
    if size > ENVIRONMENT_LIMIT:
        # AWS repeats the variables here; they may be secrets and errors get logged, so we name the size.
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. Bytes measured: {size}"
        )
    if any("\0" in value for value in found.values()):
        raise invalid("An environment variable holds a NUL character, which no process can receive.")
    return found


def check_creation(params: Mapping[str, Any]) -> None:
    """Raise `ApiError` unless a new function names what a zip function needs."""
    if not params.get("Runtime") or not params.get("Handler"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")


def _check_served(params: Mapping[str, Any]) -> None:
    for member in NOT_SERVED:
        if params.get(member):
            raise invalid(f"Penstock does not serve {member} yet. Leave it out of the request.")
    if params.get("PackageType") == "Image":
        raise invalid("Penstock does not run container images. Send a zip (PackageType Zip) instead.")


def _check_bounds(value: int, member: str, least: int, most: int) -> None:
    if value < least:
        raise out_of_bounds(value, member, f"Member must have value greater than or equal to {least}")
    if value > most:
        raise out_of_bounds(value, member, f"Member must have value less than or equal to {most}")


def _field(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: value}


def _ephemeral(value: Mapping[str, Any]) -> dict[str, Any]:
    _check_bounds(value["Size"], "ephemeralStorage.size", *EPHEMERAL_BOUNDS)
    return {"ephemeral_mb": value["Size"]}


def _dead_letter(value: Mapping[str, Any]) -> dict[str, Any]:
    target = value.get("TargetArn") or None
    parsed = parse_arn(target) if target else None
    if target and (parsed is None or parsed.service not in ("sqs", "sns")):
        raise invalid(f"The provided target ARN {target} is invalid: a dead letter queue is an SQS queue or SNS topic.")
    return {"dead_letter_target": target}


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "LogGroup" in value:
        given["log_group"] = value["LogGroup"]
    if "LogFormat" in value:
        given["log_format"] = value["LogFormat"]
    if "ApplicationLogLevel" in value:
        given["application_log_level"] = value["ApplicationLogLevel"]
    if "SystemLogLevel" in value:
        given["system_log_level"] = value["SystemLogLevel"]
    return given


def check_logging(log_format: str, *levels: str | None) -> None:
    """Raise `ApiError` when log levels are set but the format is not JSON."""
    if log_format != "JSON" and any(levels):
        raise invalid(
            "ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON. "
            "Set LogFormat to JSON or leave the levels out."
        )


def _vpc(value: Mapping[str, Any]) -> dict[str, Any]:
    # Kept and shown for templates that name one; functions use this machine's network either way.
    named = value.get("SubnetIds") or value.get("SecurityGroupIds")
    return {"vpc_config": dict(value) if named else None}


READERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "Runtime": _field("runtime"),
    "Handler": _field("handler"),
    "Role": _field("role"),
    "Description": _field("description"),
    "Timeout": _field("timeout_s"),
    "MemorySize": _field("memory_mb"),
    "EphemeralStorage": _ephemeral,
    "DeadLetterConfig": _dead_letter,
    "TracingConfig": lambda value: {"tracing_mode": value.get("Mode") or "PassThrough"},
    "LoggingConfig": _logging,
    "KMSKeyArn": lambda value: {"kms_key_arn": value or None},
    "VpcConfig": _vpc,
    "SnapStart": lambda value: {"snap_start": value.get("ApplyOn") or "None"},
    "Architectures": lambda value: {"architecture": value[0]},
}
