"""New code or configuration for `$LATEST`. Rule: refused while anything is in progress; invokes go on with what was
there until the update has settled.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.configuration import check_logging, settings, variables
from penstock.registry.desk import Desk, Transaction
from penstock.registry.environment import opened, sealed
from penstock.registry.layers.attach import attached, check_size, layers_wanted, shown
from penstock.registry.lookup import existing_function, latest_of
from penstock.registry.model import LATEST, Function, FunctionVersion
from penstock.registry.publish import publish
from penstock.registry.records import write_version
from penstock.registry.reference import read_unqualified
from penstock.registry.refusals import stale
from penstock.registry.states import Happening, after, check_settled
from penstock.registry.upload import Upload, uploaded
from penstock.store.database import Connection


async def update_code(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> FunctionVersion:
    """UpdateFunctionCode: `$LATEST` in progress, or the new version when `Publish` is set.

    With `DryRun` everything is checked and the function is shown as it would be, but nothing changes.
    """
    name = read_unqualified(context, params["FunctionName"])
    given = settings({member: params[member] for member in ("Architectures", "PublishTo") if member in params})
    dry = bool(params.get("DryRun"))
    # Refuse before the package is unpacked: most refusals are known already.
    await desk.store.read(lambda connection: _updatable(connection, context, name, params.get("RevisionId")))
    async with uploaded(desk, context.scope, params, keep=not dry) as upload:

        def check(connection: Connection) -> tuple[Function, FunctionVersion, FunctionVersion]:
            function, latest = _updatable(connection, context, name, params.get("RevisionId"))
            return function, latest, _with_code(latest, upload, given)

        def work(transaction: Transaction) -> FunctionVersion:
            function, before, wanted = check(transaction.connection)
            latest = _write(desk, transaction, wanted)
            changed = {"architecture"} if before.architecture != latest.architecture else set()
            if before.code_sha256 != latest.code_sha256 or changed:
                detail = {"code_sha256": latest.code_sha256, "previous_code_sha256": before.code_sha256}
                desk.record(transaction, context, name, "code-updated", target_version=LATEST, detail=detail)
            return publish(desk, transaction, context, function, latest) if params.get("Publish") else latest

        if dry:
            return (await desk.store.read(check))[2]
        return await desk.commit(work)


async def update_configuration(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> FunctionVersion:
    """UpdateFunctionConfiguration: `$LATEST` in progress. Absent members stay as they are."""
    name = read_unqualified(context, params["FunctionName"])
    given, wanted, layers = settings(params), variables(params), layers_wanted(params)

    def work(transaction: Transaction) -> FunctionVersion:
        _, before = _updatable(transaction.connection, context, name, params.get("RevisionId"))
        fields = dict(given)
        if wanted is not None and wanted != opened(desk.cipher, before).environment:
            fields["sealed_environment"] = sealed(desk.cipher, context.scope, name, wanted)
        if layers is not None:
            fields["layers"] = attached(transaction.connection, context, layers)
        latest = replace(before, **fields)
        check_size(latest)
        if given.get("log_format") == "Text":
            latest = replace(latest, application_log_level=None, system_log_level=None) if _no_levels(given) else latest
        check_logging(latest.log_format, latest.application_log_level, latest.system_log_level)
        changed = sorted(field for field in fields if getattr(before, field) != fields[field])
        latest = _write(desk, transaction, latest)
        if changed:
            names = ["environment" if field == "sealed_environment" else field for field in changed]
            detail: dict[str, object] = {"changed": sorted(names)}
            if "layers" in changed:
                detail |= {"layers": shown(latest.layers), "previous_layers": shown(before.layers)}
            desk.record(transaction, context, name, "configuration-changed", target_version=LATEST, detail=detail)
        return latest

    return await desk.commit(work)


def _no_levels(given: Mapping[str, Any]) -> bool:
    return not given.get("application_log_level") and not given.get("system_log_level")


def _updatable(
    connection: Connection, context: RequestContext, name: str, revision_id: str | None
) -> tuple[Function, FunctionVersion]:
    """The function and its `$LATEST`, unless the revision is stale or something is in progress."""
    function = existing_function(connection, context.scope, name)
    latest = latest_of(connection, function)
    if revision_id not in (None, latest.revision_id):
        raise stale()
    check_settled(latest, function.arn)
    return function, latest


def _with_code(latest: FunctionVersion, upload: Upload, given: Mapping[str, Any]) -> FunctionVersion:
    wanted = replace(
        latest, code_sha256=upload.code_sha256, code_size=upload.size, unpacked_size=upload.unpacked_size, **given
    )
    check_size(wanted)
    return wanted


def _write(desk: Desk, transaction: Transaction, latest: FunctionVersion) -> FunctionVersion:
    # Not routed: the loop does that when the update has settled.
    fresh = replace(latest, revision_id=desk.new_revision(), last_modified_at=desk.clock.now())
    updated = after(fresh, Happening.UPDATED)
    write_version(transaction.connection, updated)
    desk.changed(transaction, latest.scope, latest.name)
    return updated
