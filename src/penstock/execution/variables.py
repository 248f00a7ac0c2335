"""The environment variables a function sees. Rule: pure; AWS's documented list, and nothing of the server's own.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.registry.model import FunctionVersion


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the variables say beyond the version itself."""

    endpoint: str
    """Where Penstock's own API is, for `AWS_ENDPOINT_URL`."""
    credentials: Mapping[str, str]
    task_root: Path
    library: Path
    """Where boto3 and its family are, as `/var/runtime` at AWS."""
    temporary: Path
    log_group: str
    log_stream: str
    initialization: str
    """`on-demand` or `provisioned-concurrency`."""
    interpreter: str
    """Its directory comes first on PATH; empty when there is none."""
    opt: Path | None = None
    """Where the layers are; None without layers."""
    own: Mapping[str, str] | None = None
    """What the runtime's family sets; None for Python's."""


def variables(version: FunctionVersion, around: Surroundings) -> dict[str, str]:
    """All variables of a new environment. The function's own may replace the first part, not the second."""
    opt = around.opt or Path("/opt")
    path = f"/usr/local/bin:/usr/bin:/bin:{opt}/bin"
    if around.interpreter:
        path = f"{Path(around.interpreter).parent}:{path}"
    own = {"PYTHONPATH": str(around.library)} if around.own is None else around.own
    defaults = {
        "AWS_ENDPOINT_URL": around.endpoint,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "HOME": str(around.temporary),
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{around.task_root}:{around.task_root}/lib:{opt}/lib",
        "PATH": path,
        "TMPDIR": str(around.temporary),
        "TZ": ":UTC",
    }
    return {**defaults, **own, **version.environment, **_reserved(version, around)}


def layer_paths(opt: Path | None, runtime: str) -> list[str]:
    """Where Python looks for modules in layers, in AWS's order: right after the package itself."""
    return [f"{opt}/python/lib/{runtime}/site-packages", f"{opt}/python"] if opt else []


def _reserved(version: FunctionVersion, around: Surroundings) -> dict[str, str]:
    named = {
        "AWS_DEFAULT_REGION": version.scope.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": version.name,
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": around.initialization,
        "AWS_LAMBDA_LOG_FORMAT": version.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": around.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": around.log_stream,
        "AWS_REGION": version.scope.region,
        "LAMBDA_RUNTIME_DIR": str(around.library),
        "LAMBDA_TASK_ROOT": str(around.task_root),
        "_HANDLER": version.handler,
        **around.credentials,
    }
    if not version.runtime.startswith("provided"):
        named["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{version.runtime}"
    if version.log_format == "JSON":
        named["AWS_LAMBDA_LOG_LEVEL"] = version.application_log_level or "INFO"
    return named


def log_group(version: FunctionVersion) -> str:
    """The configured group, or AWS's default."""
    return version.log_group or f"/aws/lambda/{version.name}"
