"""Who else may use a layer's version: a resource policy of its own. Stored and returned here.

Rule: one policy a version, deleted with it.
See https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.registry.desk import Desk, Transaction
from penstock.registry.layers.model import LayerVersion, layer_arn
from penstock.registry.layers.records import read_layer_version, write_layer_version
from penstock.registry.layers.reference import read_layer_name, read_number
from penstock.registry.permit import POLICY_LIMIT
from penstock.registry.refusals import conflict, invalid, not_found, stale
from penstock.store.database import Connection

Statement = Mapping[str, object]


async def add_layer_permission(
    desk: Desk, context: RequestContext, params: Mapping[str, Any]
) -> tuple[Statement, LayerVersion]:
    """AddLayerVersionPermission: the statement, and the version as it is now. Raises `ApiError`."""
    if params.get("OrganizationId") and params["Principal"] != "*":
        raise invalid("OrganizationId goes with Principal * only: name the organization, or an account, not both.")

    def work(transaction: Transaction) -> tuple[Statement, LayerVersion]:
        version = _existing(transaction.connection, context, params)
        statement = statement_of(params, version.arn)
        if any(known["Sid"] == statement["Sid"] for known in version.statements):
            raise conflict(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement."
            )
        _check_revision(params, version)
        return statement, _write(desk, transaction, version, (*version.statements, statement))

    return await desk.commit(work)


async def remove_layer_permission(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """RemoveLayerVersionPermission. Raises `ApiError`."""
    sid = params["StatementId"]

    def work(transaction: Transaction) -> None:
        version = _existing(transaction.connection, context, params)
        _check_revision(params, version)
        kept = tuple(statement for statement in version.statements if statement["Sid"] != sid)
        if len(kept) == len(version.statements):
            raise not_found(f"Statement {sid} is not found in resource policy.")
        _write(desk, transaction, version, kept)

    await desk.commit(work)


async def get_layer_policy(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> LayerVersion:
    """GetLayerVersionPolicy: the version with its statements. Raises `ApiError` when it has none."""
    version = await desk.store.read(lambda connection: _existing(connection, context, params))
    if not version.statements:
        raise not_found("No policy is associated with the given resource.")
    return version


def document(version: LayerVersion) -> str:
    """The policy's JSON as AWS prints it."""
    whole = {"Version": "2012-10-17", "Id": "default", "Statement": [dict(one) for one in version.statements]}
    return json.dumps(whole, separators=(",", ":"))


def statement_of(params: Mapping[str, Any], resource: str) -> dict[str, object]:
    """The IAM statement that AddLayerVersionPermission's members describe."""
    principal: object = params["Principal"]
    if re.fullmatch(r"\d{12}", params["Principal"]):
        principal = {"AWS": f"arn:aws:iam::{principal}:root"}
    elif principal != "*":
        principal = {"AWS": principal}
    statement: dict[str, object] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": params["Action"],
        "Resource": resource,
    }
    if params.get("OrganizationId"):
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": params["OrganizationId"]}}
    return statement


def _existing(connection: Connection, context: RequestContext, params: Mapping[str, Any]) -> LayerVersion:
    number = read_number(params["VersionNumber"])
    name = read_layer_name(context, params["LayerName"])
    version = read_layer_version(connection, context.scope, name, number)
    if version is None:
        raise not_found(f"Layer version {layer_arn(context.scope, name, number)} does not exist.")
    return version


def _check_revision(params: Mapping[str, Any], version: LayerVersion) -> None:
    if params.get("RevisionId") not in (None, version.policy_revision_id):
        raise stale("GetLayerPolicy")


def _write(
    desk: Desk, transaction: Transaction, version: LayerVersion, statements: tuple[Statement, ...]
) -> LayerVersion:
    changed = replace(version, statements=statements, policy_revision_id=desk.new_revision())
    size = len(document(changed).encode())
    if size > POLICY_LIMIT:
        raise ApiError(
            "PolicyLengthExceededException",
            f"The final policy size ({size}) is bigger than the limit ({POLICY_LIMIT}).",
            fields={"Type": "User"},
        )
    write_layer_version(transaction.connection, changed)
    return changed
