"""Aliases: what makes one valid, and the compare-and-swap that moves it. Rule: both versions are published ones that
share a role and a dead letter queue; nobody moves an alias that someone else has moved meanwhile.

The functions here run on the caller's transaction, so that release/ can move traffic, deployment and marker as one
truth. See https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from collections.abc import Mapping
from dataclasses import replace

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.registry.model import LATEST, Alias, FunctionVersion
from penstock.registry.records import read_alias, read_version, write_alias
from penstock.store.database import Connection

__all__ = ["AliasMovedError", "check_route", "read_alias", "read_version", "set_route"]


class AliasMovedError(Exception):
    """The alias is not as the caller last saw it. `current` is what it is now, None when it does not exist."""

    def __init__(self, current: Alias | None) -> None:
        """See the class."""
        now = f"points at version {current.version}" if current else "does not exist any more"
        super().__init__(f"the alias was changed by someone else and now {now}")
        self.current = current


def set_route(
    connection: Connection,
    *,
    scope: Scope,
    function: str,
    alias: str,
    version: str,
    weights: Mapping[str, float],
    expected_revision_id: str | None,
    revision_id: str,
) -> Alias:
    """Point the alias at `version` and `weights` if its revision still is `expected_revision_id`.

    Expecting None means that it must not exist yet: it is created. Raises `AliasMovedError`, or `ApiError` when the
    route is not valid.
    After the commit the caller puts the returned alias into `Routes.put_alias`.
    """
    current = read_alias(connection, scope, function, alias)
    if (current.revision_id if current else None) != expected_revision_id:
        raise AliasMovedError(current)
    check_route(connection, scope, function, version, weights)
    fresh = Alias(scope, function, alias, version, revision_id)
    moved = replace(current or fresh, version=version, weights=dict(weights), revision_id=revision_id)
    write_alias(connection, moved)
    return moved


def check_route(
    connection: Connection, scope: Scope, function: str, version: str, weights: Mapping[str, float]
) -> None:
    """Raise `ApiError` unless an alias may point at `version`, and at the other version that `weights` names."""
    primary = _existing(connection, scope, function, version)
    if len(weights) > 1:
        raise _invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, weight in weights.items():
        if not 0.0 <= weight <= 1.0:
            raise _invalid(f"The weight {weight} of version {other} must be from 0.0 to 1.0.")
        if LATEST in (version, other):
            raise _invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if other == version:
            raise _invalid(
                f"Invalid function version {other}. Function version {other} is already included in routing "
                "configuration."
            )
        _check_pair(primary, _existing(connection, scope, function, other))


def _check_pair(primary: FunctionVersion, other: FunctionVersion) -> None:
    if primary.role != other.role:
        raise _invalid(
            f"Versions {primary.version} and {other.version} have different execution roles ({primary.role} and "
            f"{other.role}). Both versions of an alias must have the same role: publish one with the other's role."
        )
    if primary.dead_letter_target != other.dead_letter_target:
        raise _invalid(
            f"Versions {primary.version} and {other.version} have different dead letter queues "
            f"({primary.dead_letter_target or 'none'} and {other.dead_letter_target or 'none'}). Both versions of an "
            "alias must have the same one, or none: publish one with the other's DeadLetterConfig."
        )


def _existing(connection: Connection, scope: Scope, function: str, version: str) -> FunctionVersion:
    found = read_version(connection, scope, function, version)
    if found is None:
        arn = function_arn(scope, function, version)
        raise ApiError("ResourceNotFoundException", f"Function not found: {arn}", fields={"Type": "User"})
    return found


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message, fields={"Type": "User"})
