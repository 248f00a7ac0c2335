"""Publishing: an immutable version from `$LATEST`. Rule: numbers only grow, and what did not change is not published.

See https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.desk import Desk, Transaction
from penstock.registry.lookup import existing_function, latest_of
from penstock.registry.model import Function, FunctionVersion, State, UpdateStatus
from penstock.registry.records import SETTINGS, read_newest_published, write_function, write_version
from penstock.registry.reference import read_unqualified
from penstock.registry.refusals import invalid, stale
from penstock.registry.states import check_settled, created


async def publish_version(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> FunctionVersion:
    """PublishVersion: the new version, or the last one when neither code nor configuration changed since."""
    name = read_unqualified(context, params["FunctionName"])

    def work(transaction: Transaction) -> FunctionVersion:
        function = existing_function(transaction.connection, context.scope, name)
        latest = latest_of(transaction.connection, function)
        check_settled(latest, function.arn)
        if params.get("RevisionId") not in (None, latest.revision_id):
            raise stale()
        wanted = params.get("CodeSha256")
        if wanted and wanted != latest.code_sha256:
            raise invalid(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({latest.code_sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        return publish(desk, transaction, context, function, latest, params.get("Description"))

    return await desk.commit(work)


def publish(
    desk: Desk,
    transaction: Transaction,
    context: RequestContext,
    function: Function,
    latest: FunctionVersion,
    description: str | None = None,
) -> FunctionVersion:
    """The version made from `latest` inside the caller's transaction, or the last one when it is the same."""
    connection = transaction.connection
    newest = read_newest_published(connection, function.scope, function.name)
    print_of_latest = fingerprint(latest)
    if newest and newest.fingerprint == print_of_latest:
        return newest
    number = str(function.last_version + 1)
    version = replace(
        latest,
        version=number,
        description=latest.description if description is None else description,
        revision_id=desk.new_revision(),
        fingerprint=print_of_latest,
    )
    version = _ready(version) if latest.is_settled else created(version)
    write_version(connection, version)
    write_function(connection, replace(function, last_version=int(number)))
    desk.route(transaction, version)
    desk.record(
        transaction,
        context,
        function.name,
        "version-published",
        target_version=number,
        previous_version=newest.version if newest else None,
        detail={"code_sha256": version.code_sha256, "description": version.description},
    )
    return version


def fingerprint(latest: FunctionVersion) -> str:
    """Equal for equal code and configuration. The variables count as they lie at rest, so the hash betrays nothing."""
    parts = {name: getattr(latest, name) for name in SETTINGS if name not in ("fingerprint", "unpacked_size")}
    parts |= {"code": latest.code_sha256, "environment": (latest.sealed_environment or b"").hex()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=list).encode()).hexdigest()


def _ready(version: FunctionVersion) -> FunctionVersion:
    # The code is $LATEST's, which is unpacked already: nothing is left to wait for.
    failed = version.state is State.FAILED
    return version if failed else replace(version, state=State.ACTIVE, update_status=UpdateStatus.SUCCESSFUL)
