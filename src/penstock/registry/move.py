"""Aliases moved by hand: create, update, delete. Rule: the guard is asked first; release/ has its own road
(`aliases.set_route`) on its own transaction.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.arns import function_arn
from penstock.core.context import RequestContext
from penstock.registry.aliases import check_route
from penstock.registry.desk import Desk, Transaction
from penstock.registry.model import Alias
from penstock.registry.provision import check_provisionable, forget_provisioned
from penstock.registry.records import delete_alias as delete_alias_row
from penstock.registry.records import delete_policies, read_alias, read_function, write_alias
from penstock.registry.reference import read_unqualified
from penstock.registry.refusals import conflict, function_not_found, not_found, stale


async def create_alias(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> Alias:
    """CreateAlias. Raises `ApiError`."""
    name = read_unqualified(context, params["FunctionName"])
    alias = Alias(
        scope=context.scope,
        function=name,
        name=params["Name"],
        version=params["FunctionVersion"],
        revision_id=desk.new_revision(),
        description=params.get("Description") or "",
        weights=_weights(params) or {},
    )

    def work(transaction: Transaction) -> Alias:
        connection = transaction.connection
        check_route(connection, context.scope, name, alias.version, alias.weights)
        if read_alias(connection, context.scope, name, alias.name):
            raise conflict(f"Alias already exists: {alias.arn}")
        _write(desk, transaction, alias)
        _record(desk, transaction, context, "alias-created", alias)
        return alias

    return await desk.commit(work)


async def update_alias(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> Alias:
    """UpdateAlias: absent members stay as they are, weights included. Raises `ApiError`."""
    name = read_unqualified(context, params["FunctionName"])

    def work(transaction: Transaction) -> Alias:
        connection = transaction.connection
        current = read_alias(connection, context.scope, name, params["Name"])
        if current is None:
            raise not_found(f"Alias not found: {function_arn(context.scope, name, params['Name'])}")
        if params.get("RevisionId") not in (None, current.revision_id):
            raise stale()
        moved = _changed(desk, current, params)
        if (moved.version, moved.weights) != (current.version, current.weights):
            desk.guard.check(connection, context.scope, name, current.name)
        check_route(connection, context.scope, name, moved.version, moved.weights)
        check_provisionable(connection, moved)
        _write(desk, transaction, moved)
        if moved.version != current.version:
            _record(desk, transaction, context, "alias-moved", moved, current)
        elif moved.weights != current.weights:
            _record(desk, transaction, context, "weights-shifted", moved, current)
        return moved

    return await desk.commit(work)


async def delete_alias(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """DeleteAlias: fine when there is none, as in AWS. Raises `ApiError`."""
    name = read_unqualified(context, params["FunctionName"])

    def work(transaction: Transaction) -> None:
        connection = transaction.connection
        if read_function(connection, context.scope, name) is None:
            raise function_not_found(context.scope, name)
        alias = read_alias(connection, context.scope, name, params["Name"])
        if alias is None:
            return
        desk.guard.check(connection, context.scope, name, alias.name)
        delete_alias_row(connection, context.scope, name, alias.name)
        delete_policies(connection, context.scope, name, [alias.name])
        forget_provisioned(desk, transaction, context.scope, name, alias.name)
        transaction.then(desk.routes.drop_alias, context.scope, name, alias.name)
        detail = {"weights": dict(alias.weights)}
        desk.record(
            transaction,
            context,
            name,
            "alias-deleted",
            alias=alias.name,
            previous_version=alias.version,
            detail=detail,
        )

    await desk.commit(work)


def _weights(params: Mapping[str, Any]) -> dict[str, float] | None:
    routing = params.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights") or {})


def _changed(desk: Desk, current: Alias, params: Mapping[str, Any]) -> Alias:
    weights, description = _weights(params), params.get("Description")
    return replace(
        current,
        version=params.get("FunctionVersion") or current.version,
        weights=current.weights if weights is None else weights,
        description=current.description if description is None else description,
        revision_id=desk.new_revision(),
    )


def _write(desk: Desk, transaction: Transaction, alias: Alias) -> None:
    write_alias(transaction.connection, alias)
    transaction.then(desk.routes.put_alias, alias)
    desk.changed(transaction, alias.scope, alias.function)


def _record(
    desk: Desk,
    transaction: Transaction,
    context: RequestContext,
    action: str,
    alias: Alias,
    before: Alias | None = None,
) -> None:
    weights: dict[str, object] = {"weights": dict(alias.weights)}
    if before:
        weights["previous_weights"] = dict(before.weights)
    desk.record(
        transaction,
        context,
        alias.function,
        action,
        alias=alias.name,
        target_version=alias.version,
        previous_version=before.version if before else None,
        detail=weights,
    )
