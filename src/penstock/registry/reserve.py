"""Reserved concurrency, a setting of the function as a whole. Rule: the account keeps a share that nobody reserves.

See https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.core.context import RequestContext
from penstock.registry.concurrency import check_reservation, set_aside, totals
from penstock.registry.desk import Desk, Transaction
from penstock.registry.lookup import existing_function
from penstock.registry.model import LATEST
from penstock.registry.provisioned_records import read_provisioned
from penstock.registry.records import read_functions, write_function
from penstock.registry.reference import read_unqualified


async def put_concurrency(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> int:
    """PutFunctionConcurrency: the reserved number. Raises `ApiError` when too little would be left for others."""
    wanted: int = params["ReservedConcurrentExecutions"]
    await _set(desk, context, params, wanted)
    return wanted


async def delete_concurrency(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """DeleteFunctionConcurrency: back to the account's shared pool."""
    await _set(desk, context, params, None)


async def get_concurrency(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> int | None:
    """GetFunctionConcurrency: the reserved number, or None."""
    name = read_unqualified(context, params["FunctionName"])
    function = await desk.store.read(lambda connection: existing_function(connection, context.scope, name))
    return function.reserved_concurrency


async def _set(desk: Desk, context: RequestContext, params: Mapping[str, Any], wanted: int | None) -> None:
    name = read_unqualified(context, params["FunctionName"])

    def work(transaction: Transaction) -> None:
        connection = transaction.connection
        function = existing_function(connection, context.scope, name, None if wanted is None else LATEST)
        provisioned = totals(read_provisioned(connection, context.scope))
        others = [other for other in read_functions(connection, context.scope) if other.name != name]
        if wanted is not None:
            elsewhere, own = set_aside(others, provisioned), provisioned.get((context.scope, name), 0)
            check_reservation(desk.account_concurrency, elsewhere, wanted, own)
        before = function.reserved_concurrency
        if before == wanted:
            return
        changed = replace(function, reserved_concurrency=wanted)
        write_function(connection, changed)
        transaction.then(desk.routes.put_function, changed)
        detail = {"reserved": wanted, "previous": before}
        desk.record(transaction, context, name, "concurrency-set", detail=detail)

    await desk.commit(work)
