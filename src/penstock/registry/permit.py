"""Resource policies: who else may invoke a function, version or alias. Stored and returned here; honoured by events/.

Rule: one policy a qualifier. See https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.arns import function_arn
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.registry.desk import Desk, Transaction
from penstock.registry.lookup import existing_function, existing_version
from penstock.registry.model import LATEST, Policy
from penstock.registry.records import read_policy, write_policy
from penstock.registry.reference import Reference, read_reference
from penstock.registry.refusals import conflict, invalid, not_found, stale
from penstock.store.database import Connection

POLICY_LIMIT = 20_480
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?|[a-z0-9.-]+\.amazon\.com")
CONDITIONS: Mapping[str, tuple[str, str]] = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


async def add_permission(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> Mapping[str, object]:
    """AddPermission: the statement that was added. Raises `ApiError`."""
    reference = _reference(context, params)
    statement = statement_of(params, function_arn(context.scope, reference.name, reference.qualifier))

    def work(transaction: Transaction) -> Mapping[str, object]:
        policy = _policy(transaction.connection, context, reference) or _first(desk, context, reference)
        _check_revision(params, policy if policy.statements else None)
        if any(known["Sid"] == statement["Sid"] for known in policy.statements):
            raise conflict(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement."
            )
        grown = replace(policy, statements=(*policy.statements, statement), revision_id=desk.new_revision())
        _check_length(grown)
        write_policy(transaction.connection, grown)
        return statement

    return await desk.commit(work)


async def remove_permission(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """RemovePermission. Raises `ApiError`."""
    reference = _reference(context, params)
    sid = params["StatementId"]

    def work(transaction: Transaction) -> None:
        policy = _policy(transaction.connection, context, reference)
        if policy is None:
            raise not_found("No policy is associated with the given resource.")
        _check_revision(params, policy)
        kept = tuple(statement for statement in policy.statements if statement["Sid"] != sid)
        if len(kept) == len(policy.statements):
            raise not_found(f"Statement {sid} is not found in resource policy.")
        write_policy(transaction.connection, replace(policy, statements=kept, revision_id=desk.new_revision()))

    await desk.commit(work)


async def get_policy(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> Policy:
    """GetPolicy. Raises `ApiError` when there is none."""
    reference = _reference(context, params)
    policy = await desk.store.read(lambda connection: _policy(connection, context, reference))
    if policy is None:
        raise not_found("The resource you requested does not exist.")
    return policy


def document(policy: Policy) -> str:
    """The policy's JSON as AWS prints it."""
    whole = {"Version": "2012-10-17", "Id": "default", "Statement": [dict(one) for one in policy.statements]}
    return json.dumps(whole, separators=(",", ":"))


def statement_of(params: Mapping[str, Any], resource: str) -> dict[str, object]:
    """The IAM statement that AddPermission's members describe."""
    statement: dict[str, object] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": resource,
    }
    conditions: dict[str, dict[str, object]] = {}
    for member, (operator, key) in CONDITIONS.items():
        value = params.get(member)
        if value is not None:
            conditions.setdefault(operator, {})[key] = str(value).lower() if isinstance(value, bool) else value
    return statement | ({"Condition": conditions} if conditions else {})


def _principal(text: str) -> object:
    if text == "*":
        return "*"
    if re.fullmatch(r"\d{12}", text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+", text):
        return {"AWS": text}
    if SERVICE.fullmatch(text):
        return {"Service": text}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _reference(context: RequestContext, params: Mapping[str, Any]) -> Reference:
    reference = read_reference(context, params["FunctionName"], params.get("Qualifier"))
    if reference.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    return reference


def _policy(connection: Connection, context: RequestContext, reference: Reference) -> Policy | None:
    function = existing_function(connection, context.scope, reference.name, reference.qualifier)
    existing_version(connection, function, reference.qualifier)
    return read_policy(connection, context.scope, reference.name, reference.qualifier or "")


def _first(desk: Desk, context: RequestContext, reference: Reference) -> Policy:
    return Policy(context.scope, reference.name, reference.qualifier or "", desk.new_revision())


def _check_revision(params: Mapping[str, Any], policy: Policy | None) -> None:
    if params.get("RevisionId") not in (None, policy.revision_id if policy else None):
        raise stale("GetPolicy")


def _check_length(policy: Policy) -> None:
    size = len(document(policy).encode())
    if size > POLICY_LIMIT:
        raise ApiError(
            "PolicyLengthExceededException",
            f"The final policy size ({size}) is bigger than the limit ({POLICY_LIMIT}).",
            fields={"Type": "User"},
        )
