"""Publishing and deleting versions of layers, each with its marker on the timeline.

Rule: what functions use stays theirs; deleting a version only keeps further ones from taking it.
See https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html
"""

from collections.abc import Mapping
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.desk import Desk, Transaction
from penstock.registry.layers.model import LayerVersion
from penstock.registry.layers.records import (
    delete_layer_version,
    read_layer_version,
    read_newest_number,
    take_number,
    write_layer_version,
)
from penstock.registry.layers.reference import read_layer_name, read_number
from penstock.registry.ports import Change
from penstock.registry.upload import Upload, uploaded


async def publish_layer(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> LayerVersion:
    """PublishLayerVersion: every call makes a version, even of the same zip. Raises `ApiError`."""
    name = read_layer_name(context, params["LayerName"])
    async with uploaded(desk, context.scope, params["Content"]) as upload:

        def work(transaction: Transaction) -> LayerVersion:
            newest = read_newest_number(transaction.connection, context.scope, name)
            number = take_number(transaction.connection, context.scope, name)
            version = _version(desk, context, params, name, number, upload)
            write_layer_version(transaction.connection, version)
            detail = {"code_sha256": version.code_sha256, "description": version.description}
            previous = str(newest) if newest else None
            _record(desk, transaction, context, name, "layer-published", str(number), previous, detail)
            return version

        return await desk.commit(work)


async def delete_layer(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """DeleteLayerVersion; one that is not there is fine, as in AWS."""
    number = read_number(params["VersionNumber"])
    name = read_layer_name(context, params["LayerName"])

    def work(transaction: Transaction) -> None:
        version = read_layer_version(transaction.connection, context.scope, name, number)
        if version is None:
            return
        delete_layer_version(transaction.connection, context.scope, name, number)
        detail = {"code_sha256": version.code_sha256}
        _record(desk, transaction, context, name, "layer-deleted", None, str(number), detail)

    await desk.commit(work)


def _version(
    desk: Desk, context: RequestContext, params: Mapping[str, Any], name: str, number: int, upload: Upload
) -> LayerVersion:
    return LayerVersion(
        scope=context.scope,
        name=name,
        number=number,
        code_sha256=upload.code_sha256,
        code_size=upload.size,
        unpacked_size=upload.unpacked_size,
        created_at=desk.clock.now(),
        description=params.get("Description") or "",
        runtimes=tuple(params.get("CompatibleRuntimes") or ()),
        architectures=tuple(params.get("CompatibleArchitectures") or ()),
        license_info=params.get("LicenseInfo") or None,
    )


def _record(
    desk: Desk,
    transaction: Transaction,
    context: RequestContext,
    layer: str,
    action: str,
    target: str | None,
    previous: str | None,
    detail: Mapping[str, object],
) -> None:
    change = Change(
        scope=context.scope,
        component=f"layer/{layer}",
        action=action,
        at=desk.clock.now(),
        by=context.principal.arn,
        target_version=target,
        previous_version=previous,
        detail=detail,
    )
    desk.changes.record(transaction.connection, change)
