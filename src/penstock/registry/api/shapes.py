"""How versions and aliases look on the wire. Rule: values in, members out; AWS's quirks of who shows what are here."""

from typing import Any

from penstock.core.arns import function_arn
from penstock.core.clock import iso
from penstock.core.context import RequestContext
from penstock.core.paging import BadTokenError, page
from penstock.registry.desk import Desk
from penstock.registry.environment import opened
from penstock.registry.model import Alias, FunctionVersion
from penstock.registry.refusals import invalid


def configuration(desk: Desk, version: FunctionVersion, qualifier: str | None) -> dict[str, Any]:
    """FunctionConfiguration of a version that was asked for as `qualifier` (None: unqualified)."""
    return listed(desk, version, qualifier) | {
        "State": version.state,
        "StateReason": version.state_reason,
        "StateReasonCode": version.state_reason_code,
        "LastUpdateStatus": version.update_status,
        "LastUpdateStatusReason": version.update_reason,
        "LastUpdateStatusReasonCode": version.update_reason_code,
    }


def listed(desk: Desk, version: FunctionVersion, qualifier: str | None) -> dict[str, Any]:
    """FunctionConfiguration as lists show it: without the states, as in AWS."""
    plain = opened(desk.cipher, version)
    return {
        "FunctionName": version.name,
        "FunctionArn": function_arn(version.scope, version.name, qualifier),
        "Runtime": version.runtime,
        "Role": version.role,
        "Handler": version.handler,
        "CodeSize": version.code_size,
        "Description": version.description,
        "Timeout": version.timeout_s,
        "MemorySize": version.memory_mb,
        "LastModified": iso(version.last_modified_at),
        "CodeSha256": version.code_sha256,
        "Version": version.version,
        "VpcConfig": _vpc(version),
        "DeadLetterConfig": {"TargetArn": version.dead_letter_target} if version.dead_letter_target else None,
        "Environment": _environment(plain),
        "KMSKeyArn": version.kms_key_arn,
        "TracingConfig": {"Mode": version.tracing_mode},
        "RevisionId": version.revision_id,
        "Layers": [{"Arn": layer.arn, "CodeSize": layer.code_size} for layer in version.layers] or None,
        "PackageType": version.package_type,
        "Architectures": [version.architecture],
        "EphemeralStorage": {"Size": version.ephemeral_mb},
        "SnapStart": {"ApplyOn": version.snap_start, "OptimizationStatus": "Off"},
        "LoggingConfig": _logging(version),
    }


def alias_shape(alias: Alias) -> dict[str, Any]:
    """AliasConfiguration."""
    return {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)} if alias.weights else None,
        "RevisionId": alias.revision_id,
    }


def page_of(items: list[Any], marker: str | None, limit: int, key: Any) -> tuple[list[Any], str | None]:
    """One page of a list; raises `ApiError` for a marker that we did not give out."""
    try:
        return page(sorted(items, key=key), marker, limit, key)
    except BadTokenError as error:
        raise invalid("The Marker is not one that this operation returned. Begin again without it.") from error


def endpoint(context: RequestContext) -> str:
    """The address under which the caller reached us."""
    scheme = context.headers.get("x-forwarded-proto", "http")
    return f"{scheme}://{context.headers.get('host', '127.0.0.1')}"


def _environment(version: FunctionVersion) -> dict[str, Any] | None:
    if version.environment_error:
        return {"Error": {"ErrorCode": "AccessDeniedException", "Message": version.environment_error}}
    return {"Variables": dict(version.environment)} if version.environment else None


def _vpc(version: FunctionVersion) -> dict[str, Any] | None:
    if not version.vpc_config:
        return None
    return {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", **version.vpc_config}


def _logging(version: FunctionVersion) -> dict[str, Any]:
    shown: dict[str, Any] = {"LogFormat": version.log_format, "LogGroup": version.log_group}
    if version.log_format == "JSON":
        shown["ApplicationLogLevel"] = version.application_log_level or "INFO"
        shown["SystemLogLevel"] = version.system_log_level or "INFO"
    return shown
