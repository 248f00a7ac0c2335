"""CreateFunction: the function, its `$LATEST`, and version 1 when asked to.

Rule: one transaction or nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.configuration import check_creation, check_logging, settings, variables
from penstock.registry.desk import Desk, Transaction
from penstock.registry.environment import sealed
from penstock.registry.layers.attach import attached, check_size, layers_wanted, shown
from penstock.registry.model import LATEST, Function, FunctionVersion
from penstock.registry.publish import publish
from penstock.registry.records import read_function, write_function, write_version
from penstock.registry.reference import read_unqualified
from penstock.registry.refusals import conflict
from penstock.registry.states import created
from penstock.registry.tag import check_tags
from penstock.registry.upload import uploaded


async def create_function(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> FunctionVersion:
    """The new `$LATEST` in state Pending; version 1 instead when `Publish` is set. Raises `ApiError`."""
    name = read_unqualified(context, params["FunctionName"])
    check_creation(params)
    given = settings(params)
    check_logging(given.get("log_format", "Text"), given.get("application_log_level"), given.get("system_log_level"))
    layers = layers_wanted(params) or []
    tags = check_tags(params.get("Tags") or {})
    environment = sealed(desk.cipher, context.scope, name, variables(params) or {})
    async with uploaded(desk, context.scope, params["Code"]) as upload:
        now = desk.clock.now()
        blank = FunctionVersion(
            scope=context.scope,
            name=name,
            version=LATEST,
            runtime="",
            handler="",
            role="",
            code_sha256=upload.code_sha256,
            code_size=upload.size,
            unpacked_size=upload.unpacked_size,
            revision_id=desk.new_revision(),
            last_modified_at=now,
            sealed_environment=environment,
            log_group=f"/aws/lambda/{name}",
        )
        latest = created(replace(blank, **given))
        function = Function(context.scope, name, now, tags=tags)
        publishing = bool(params.get("Publish"))

        def work(transaction: Transaction) -> FunctionVersion:
            layered = replace(latest, layers=attached(transaction.connection, context, layers))
            check_size(layered)
            return _write(desk, transaction, context, function, layered, publishing)

        return await desk.commit(work)


def _write(
    desk: Desk,
    transaction: Transaction,
    context: RequestContext,
    function: Function,
    latest: FunctionVersion,
    publishing: bool,  # noqa: FBT001 - private
) -> FunctionVersion:
    connection = transaction.connection
    if read_function(connection, function.scope, function.name):
        raise conflict(f"Function already exist: {function.name}")
    write_function(connection, function)
    write_version(connection, latest)
    transaction.then(desk.routes.put_function, function)
    desk.route(transaction, latest)
    detail: dict[str, object] = {"runtime": latest.runtime, "code_sha256": latest.code_sha256}
    if latest.layers:
        detail["layers"] = shown(latest.layers)
    desk.record(transaction, context, function.name, "function-created", target_version=LATEST, detail=detail)
    return publish(desk, transaction, context, function, latest) if publishing else latest
