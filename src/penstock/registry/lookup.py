"""Finding what an operation names, or refusing in AWS's words. Rule: on the caller's connection, changes nothing."""

from penstock.core.context import Scope
from penstock.registry.model import LATEST, Function, FunctionVersion
from penstock.registry.records import read_alias, read_function, read_version
from penstock.registry.refusals import function_not_found
from penstock.store.database import Connection


def existing_function(connection: Connection, scope: Scope, name: str, shown: str | None = None) -> Function:
    """The function; the refusal names it with the qualifier `shown`."""
    function = read_function(connection, scope, name)
    if function is None:
        raise function_not_found(scope, name, shown)
    return function


def latest_of(connection: Connection, function: Function) -> FunctionVersion:
    """`$LATEST`, which every function has."""
    latest = read_version(connection, function.scope, function.name, LATEST)
    if latest is None:
        raise RuntimeError(f"{function.arn} has no $LATEST row: the database was changed by hand")
    return latest


def existing_version(connection: Connection, function: Function, qualifier: str | None) -> FunctionVersion:
    """The version that a number, an alias (its primary version), `$LATEST` or None names."""
    if qualifier in (None, LATEST):
        return latest_of(connection, function)
    alias = read_alias(connection, function.scope, function.name, qualifier)
    found = read_version(connection, function.scope, function.name, alias.version if alias else qualifier)
    if found is None:
        raise function_not_found(function.scope, function.name, qualifier)
    return found
