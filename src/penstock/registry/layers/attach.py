"""The layers a function names: which versions they are, and whether they fit together. Rule: a function keeps what it
needs of each, so that it runs on when the layer's version is deleted.

See https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.registry.layers.records import read_layer_version
from penstock.registry.layers.reference import denied, parse_layer
from penstock.registry.model import FunctionVersion, UsedLayer
from penstock.registry.package import UNZIPPED_LIMIT
from penstock.registry.refusals import invalid
from penstock.store.database import Connection

LAYER_LIMIT = 5


def layers_wanted(params: Mapping[str, Any]) -> list[str] | None:
    """The ARNs that a request names, or None when it leaves the layers alone. Raises `ApiError`."""
    wanted = params.get("Layers")
    if wanted is None:
        return None
    if len(wanted) > LAYER_LIMIT:
        raise invalid(f"Cannot reference more than {LAYER_LIMIT} layers.")
    return list(wanted)


def attached(connection: Connection, context: RequestContext, arns: Sequence[str]) -> tuple[UsedLayer, ...]:
    """The versions that these ARNs name, in their order. Raises `ApiError`."""
    seen: dict[str, str] = {}
    found = []
    for arn in arns:
        name, layer = _existing(connection, context, arn)
        if name in seen:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[name]} and {arn} are versions of the same layer."
            )
        seen[name] = arn
        found.append(layer)
    return tuple(found)


def check_size(version: FunctionVersion) -> None:
    """Raise `ApiError` when a function and its layers do not fit on disk together."""
    layers = sum(layer.unpacked_size for layer in version.layers)
    if layers > UNZIPPED_LIMIT:
        raise invalid(f"Layers consume more than the available size of {UNZIPPED_LIMIT} bytes")
    whole = layers + version.unpacked_size
    if version.layers and whole > UNZIPPED_LIMIT:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_LIMIT} bytes. "
            f"The actual size is {whole} bytes."
        )


def shown(layers: Sequence[UsedLayer]) -> list[str]:
    """`pillow:3`, for people."""
    return [layer.arn.partition(":layer:")[2] for layer in layers]


def _existing(connection: Connection, context: RequestContext, arn: str) -> tuple[str, UsedLayer]:
    parsed = parse_layer(arn)
    if parsed is None:
        raise _missing(arn)
    account, region, reference = parsed
    if account != context.scope.account:
        raise denied(context, arn, "lambda:GetLayerVersion")
    if region != context.scope.region:
        raise invalid(
            "Layers are not in the same region as the function. "
            f"Layers are expected to be in region {context.scope.region}."
        )
    version = read_layer_version(connection, context.scope, reference.name, reference.number or 0)
    if version is None:
        raise _missing(arn)
    return version.name, UsedLayer(version.arn, version.code_sha256, version.code_size, version.unpacked_size)


def _missing(arn: str) -> ApiError:
    return invalid(f"Layer version {arn} does not exist.")
