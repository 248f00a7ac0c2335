"""How callers name a layer: by name or ARN, and a version by number or by an ARN that ends with one.

Rule: every operation on layers reads names through here; layers of other accounts are not reachable.
"""

import re
from dataclasses import dataclass

from penstock.core.arns import parse_arn
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.registry.refusals import invalid, not_found

RESOURCE = re.compile(r"layer:(?P<name>[a-zA-Z0-9-_]{1,140})(?::(?P<number>[0-9]{1,18}))?")


@dataclass(frozen=True, slots=True)
class LayerReference:
    """A layer of the caller's own account and region, and the version asked for, if any."""

    name: str
    number: int | None = None


def read_layer_name(context: RequestContext, text: str) -> str:
    """The layer that `LayerName` names. Raises `ApiError`."""
    return _read_arn(context, text).name if text.startswith("arn:") else text


def read_number(number: int) -> int:
    """`VersionNumber`, refused below 1 as AWS does."""
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1.")
    return number


def read_version_arn(context: RequestContext, text: str) -> LayerReference:
    """The layer's version that an ARN names. Raises `ApiError`."""
    reference = _read_arn(context, text)
    if reference.number is None:
        raise invalid(f"{text} names a layer, not one of its versions: add its number, {text}:1.")
    return reference


def parse_layer(text: str) -> tuple[str, str, LayerReference] | None:
    """Account, region and reference of a layer's ARN, or None when it is none (or one of AWS's own layers)."""
    parsed = parse_arn(text)
    found = RESOURCE.fullmatch(parsed.resource) if parsed and parsed.service == "lambda" else None
    if parsed is None or found is None:
        return None
    number = int(found["number"]) if found["number"] else None
    return parsed.account, parsed.region, LayerReference(found["name"], number)


def denied(context: RequestContext, resource: str, action: str) -> ApiError:
    """403: somebody else's layer."""
    return ApiError(
        "AccessDeniedException",
        f"User: {context.principal.arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no resource-based policy allows the {action} action",
        status=403,
    )


def _read_arn(context: RequestContext, text: str) -> LayerReference:
    parsed = parse_layer(text)
    if parsed is None:
        raise not_found("The resource you requested does not exist.")
    account, region, reference = parsed
    if account != context.scope.account:
        raise denied(context, text, f"lambda:{context.operation}")
    if region != context.scope.region:
        raise not_found(f"Layers from '{region}' are not reachable in this region ('{context.scope.region}')")
    return reference
