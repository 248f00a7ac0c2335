"""Provisioned concurrency: set, read and remove. Rule: published versions and aliases only, and never more than the
account or the function's reservation can give.

See https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

from collections.abc import Mapping
from typing import Any

from penstock.core.context import RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.registry.concurrency import check_provisioned, set_aside, totals
from penstock.registry.desk import Desk, Transaction
from penstock.registry.lookup import existing_function, existing_version
from penstock.registry.model import LATEST, Alias, Function, ProvisionedConfig
from penstock.registry.provisioned_records import delete_provisioned, read_provisioned, write_provisioned
from penstock.registry.records import read_alias, read_functions
from penstock.registry.reference import Reference, read_reference, read_unqualified
from penstock.registry.refusals import conflict, invalid
from penstock.store.database import Connection

UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
NO_QUALIFIER = "The function resource provided must be a version or alias."
WEIGHTED = "Alias with weights can not be used with Provisioned Concurrency"
TAKEN_VERSION = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
TAKEN_ALIAS = "Version is pointed by a Provisioned Concurrency alias"


async def put_provisioned(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> ProvisionedConfig:
    """PutProvisionedConcurrencyConfig. Raises `ApiError`."""
    name, qualifier = _qualified(context, params, UNPUBLISHED)
    config = ProvisionedConfig(
        context.scope, name, qualifier, params["ProvisionedConcurrentExecutions"], desk.clock.now()
    )

    def work(transaction: Transaction) -> ProvisionedConfig:
        connection = transaction.connection
        function = existing_function(connection, context.scope, name, qualifier)
        _check_target(connection, function, qualifier)
        mine = {one.qualifier: one for one in read_provisioned(connection, context.scope, name)}
        _check_room(desk, connection, function, config, mine)
        write_provisioned(connection, config)
        transaction.then(desk.routes.put_provisioned, config)
        before = mine.get(qualifier)
        _record(desk, transaction, context, config, config.requested, before.requested if before else None)
        return config

    return await desk.commit(work)


async def get_provisioned(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> ProvisionedConfig:
    """GetProvisionedConcurrencyConfig. Raises `ApiError`."""
    name, qualifier = _qualified(context, params, NO_QUALIFIER)

    def read(connection: Connection) -> ProvisionedConfig:
        function = existing_function(connection, context.scope, name, qualifier)
        existing_version(connection, function, qualifier)
        for config in read_provisioned(connection, context.scope, name):
            if config.qualifier == qualifier:
                return config
        raise ApiError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            fields={"Type": "User"},
        )

    return await desk.store.read(read)


async def list_provisioned(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> list[ProvisionedConfig]:
    """ListProvisionedConcurrencyConfigs: all of a function's. Raises `ApiError`."""
    name = read_unqualified(context, params["FunctionName"])

    def read(connection: Connection) -> list[ProvisionedConfig]:
        existing_function(connection, context.scope, name)
        return read_provisioned(connection, context.scope, name)

    return await desk.store.read(read)


async def delete_provisioned_config(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """DeleteProvisionedConcurrencyConfig: fine when there is none, as in AWS. Raises `ApiError`."""
    name, qualifier = _qualified(context, params, NO_QUALIFIER)

    def work(transaction: Transaction) -> None:
        connection = transaction.connection
        function = existing_function(connection, context.scope, name, qualifier)
        existing_version(connection, function, qualifier)
        for config in read_provisioned(connection, context.scope, name):
            if config.qualifier == qualifier:
                forget_provisioned(desk, transaction, context.scope, name, qualifier)
                _record(desk, transaction, context, config, None, config.requested)

    await desk.commit(work)


def forget_provisioned(desk: Desk, transaction: Transaction, scope: Scope, function: str, qualifier: str) -> None:
    """The version or alias goes, or its configuration does: nothing is kept ready for it any more."""
    delete_provisioned(transaction.connection, scope, function, [qualifier])
    transaction.then(desk.routes.drop_provisioned, scope, function, qualifier)


def check_provisionable(connection: Connection, alias: Alias) -> None:
    """Raise `ApiError` when an alias that has provisioned concurrency would point at `$LATEST`."""
    if alias.version == LATEST and any(
        one.qualifier == alias.name for one in read_provisioned(connection, alias.scope, alias.function)
    ):
        raise invalid(
            "Invalid alias configuration for Provisioned Concurrency: it must point to a published version. Delete "
            "the alias's provisioned concurrency first."
        )


def _qualified(context: RequestContext, params: Mapping[str, Any], refusal: str) -> tuple[str, str]:
    reference: Reference = read_reference(context, params["FunctionName"], params["Qualifier"])
    if reference.qualifier in (None, LATEST):
        raise invalid(refusal)
    return reference.name, str(reference.qualifier)


def _check_target(connection: Connection, function: Function, qualifier: str) -> None:
    existing_version(connection, function, qualifier)
    alias = read_alias(connection, function.scope, function.name, qualifier)
    if alias is None:
        return
    if alias.version == LATEST:
        raise invalid(UNPUBLISHED)
    if alias.weights:
        raise invalid(WEIGHTED)


def _check_room(
    desk: Desk,
    connection: Connection,
    function: Function,
    config: ProvisionedConfig,
    mine: Mapping[str, ProvisionedConfig],
) -> None:
    others = [one for one in mine.values() if one.qualifier != config.qualifier]
    _check_overlap(connection, function, config.qualifier, others)
    everyone = [one for one in read_functions(connection, function.scope) if one.name != function.name]
    elsewhere = set_aside(everyone, totals(read_provisioned(connection, function.scope)))
    wanted = config.requested + sum(one.requested for one in others)
    check_provisioned(desk.account_concurrency, elsewhere, function.reserved_concurrency, wanted)


def _check_overlap(connection: Connection, function: Function, qualifier: str, others: list[ProvisionedConfig]) -> None:
    """A version is provisioned through one road only: its own number or one alias."""

    def alias_of(name: str) -> Alias | None:
        return read_alias(connection, function.scope, function.name, name)

    def served(name: str) -> set[str]:
        alias = alias_of(name)
        return {alias.version, *alias.weights} if alias else {name}

    if any(served(one.qualifier) & served(qualifier) for one in others):
        raise conflict(TAKEN_VERSION if alias_of(qualifier) else TAKEN_ALIAS)


def _record(
    desk: Desk,
    transaction: Transaction,
    context: RequestContext,
    config: ProvisionedConfig,
    now: int | None,
    before: int | None,
) -> None:
    alias = read_alias(transaction.connection, config.scope, config.function, config.qualifier)
    desk.record(
        transaction,
        context,
        config.function,
        "provisioned-concurrency-set",
        alias=alias.name if alias else None,
        target_version=alias.version if alias else config.qualifier,
        detail={"provisioned": now, "previous": before},
    )
