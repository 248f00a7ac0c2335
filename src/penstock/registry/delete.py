"""Deleting a function with everything it has, or one version. Rule: a version that an alias points at stays."""

from collections.abc import Mapping
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.desk import Desk, Transaction
from penstock.registry.facts import FunctionDeleted
from penstock.registry.lookup import existing_function
from penstock.registry.model import LATEST, Function
from penstock.registry.provision import forget_provisioned
from penstock.registry.provisioned_records import delete_provisioned
from penstock.registry.records import (
    delete_function as delete_function_rows,
)
from penstock.registry.records import (
    delete_policies,
    delete_version,
    read_aliases,
    read_version,
)
from penstock.registry.reference import read_reference
from penstock.registry.refusals import conflict, function_not_found, invalid


async def delete_function(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """DeleteFunction, whole or one version of it. Raises `ApiError`."""
    reference = read_reference(context, params["FunctionName"], params.get("Qualifier"))
    if reference.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")

    def work(transaction: Transaction) -> None:
        function = existing_function(transaction.connection, context.scope, reference.name)
        if reference.qualifier is None:
            _delete_all(desk, transaction, context, function)
        else:
            _delete_one(desk, transaction, context, function, reference.qualifier)

    await desk.commit(work)


def _delete_all(desk: Desk, transaction: Transaction, context: RequestContext, function: Function) -> None:
    aliases = read_aliases(transaction.connection, function.scope, function.name)
    delete_function_rows(transaction.connection, function.scope, function.name)
    delete_provisioned(transaction.connection, function.scope, function.name)
    transaction.then(desk.routes.drop_function, function.scope, function.name)
    transaction.then(desk.bus.publish, FunctionDeleted(function.scope, function.name))
    detail = {"aliases": {alias.name: alias.version for alias in aliases}}
    desk.record(transaction, context, function.name, "function-deleted", detail=detail)


def _delete_one(
    desk: Desk, transaction: Transaction, context: RequestContext, function: Function, qualifier: str
) -> None:
    connection = transaction.connection
    aliases = read_aliases(connection, function.scope, function.name)
    if qualifier in {alias.name for alias in aliases}:
        raise invalid(f"{qualifier} is an alias, and DeleteFunction deletes versions. Use DeleteAlias.")
    if read_version(connection, function.scope, function.name, qualifier) is None:
        raise function_not_found(function.scope, function.name, qualifier)
    users = [alias.name for alias in aliases if qualifier in (alias.version, *alias.weights)]
    if users:
        raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]")
    delete_version(connection, function.scope, function.name, qualifier)
    delete_policies(connection, function.scope, function.name, [qualifier])
    forget_provisioned(desk, transaction, function.scope, function.name, qualifier)
    transaction.then(desk.routes.drop_version, function.scope, function.name, qualifier)
    desk.changed(transaction, context.scope, function.name)
