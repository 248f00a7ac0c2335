"""How each service words a broken constraint. Rule: AWS's code and sentence where they are known, one voice elsewhere.

Coral services count and list ("1 validation error detected: Value 'x' at 'functionName' failed to satisfy constraint:
…", https://github.com/aarondfrancis/sidecar/issues/147); CloudWatch's metric operations name the parameter as the query
protocol does ("The parameter MetricData.member.1.Value is required.",
https://github.com/sj26/sidekiq-cloudwatchmetrics/issues/43 and https://github.com/awslabs/collectd-cloudwatch/pull/46);
CodeDeploy has an exception for each name it misses or mistrusts.
"""

from collections.abc import Sequence
from typing import Any

from penstock.core.errors import ApiError
from penstock.gateway import quirks
from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Operation, Service
from penstock.gateway.validate import Violation

SHOWN = 256
"""Characters of a refused value that are echoed."""


def refuse(service: Service, operation: Operation, found: Sequence[Violation]) -> ApiError:
    """The refusal of a request that breaks `found` (at least one)."""
    first = found[0]
    if _is_runtime(service, found):
        constraint = f"{first.constraint} or be a valid ARN"
        message = f"Value {_shown(first)} at 'runtime' failed to satisfy constraint: {constraint}"
        return ApiError("InvalidParameterValueException", message)
    if "MissingRequiredParameterException" in operation.errors:
        return _as_metric_operation(found)
    specific = _own_exception(operation, first)
    if specific is not None:
        return ApiError(specific, _coral(found))
    return ApiError(quirks.validation_code(service), _coral(found))


def unreadable(service: Service | None, protocol: str, error: Malformed) -> ApiError:
    """The refusal of a request that does not decode."""
    if protocol == "query":
        return ApiError("MalformedQueryString" if service is None else "MalformedInput", error.message, status=400)
    return ApiError("SerializationException", error.message, status=400)


def _coral(found: Sequence[Violation]) -> str:
    noun = "error" if len(found) == 1 else "errors"
    sentences = [
        f"Value {_quoted(violation)}at '{coral_path(violation)}' failed to satisfy constraint: {violation.constraint}"
        for violation in found
    ]
    return f"{len(found)} validation {noun} detected: {'; '.join(sentences)}"


def coral_path(violation: Violation) -> str:
    """`tags.1.member.key`: the outermost name begins in lower case, list positions are followed by `member`."""
    steps: list[str] = []
    for step in violation.path:
        steps.append(step[:1].lower() + step[1:])
        if step.isdigit():
            steps.append("member")
    return ".".join(steps)


def _own_exception(operation: Operation, violation: Violation) -> str | None:
    """The exception that the operation declares for the member itself, as CodeDeploy does."""
    if violation.kind == "missing":
        name = violation.path[-1]
        candidates: tuple[str, ...] = (f"{name[:1].upper()}{name[1:]}RequiredException",)
    else:
        candidates = tuple(code for step in reversed(violation.path) for code in quirks.invalid_codes(step))
    return next((code for code in candidates if code in operation.errors), None)


def _as_metric_operation(found: Sequence[Violation]) -> ApiError:
    code = "MissingParameter" if found[0].kind == "missing" else "InvalidParameterValue"
    alike = [violation for violation in found if (violation.kind == "missing") == (found[0].kind == "missing")]
    return ApiError(code, "\n".join(_metric_sentence(violation) for violation in alike))


def _metric_sentence(violation: Violation) -> str:
    place = ".".join(f"member.{step}" if step.isdigit() else step for step in violation.path)
    if violation.kind == "missing":
        return f"The parameter {place} is required."
    if violation.kind == "enum":
        return f"The parameter {place} must be a value in the set [ {', '.join(violation.shape.enum)} ]."
    return f"The value {_shown(violation)} for parameter {place} is invalid. {violation.constraint}."


def _is_runtime(service: Service, found: Sequence[Violation]) -> bool:
    first = found[0]
    return len(found) == 1 and first.kind == "enum" and (service.name, first.path[-1]) == quirks.RUNTIME_MEMBER


def _quoted(violation: Violation) -> str:
    if violation.kind == "missing":
        return "null "
    # Values of sensitive shapes (environment variables, keys) are never echoed.
    return "" if _sensitive(violation) else f"'{_shown(violation)}' "


def _sensitive(violation: Violation) -> bool:
    return violation.shape.sensitive or violation.kind in {"keys", "values"} or isinstance(violation.value, bytes)


def _shown(violation: Violation) -> str:
    value: Any = violation.value
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
