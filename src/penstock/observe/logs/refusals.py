"""The Logs API's refusals in AWS's codes, and finding what a request names. Rule: every refusal is made here once."""

from collections.abc import Mapping
from typing import Any

from penstock.core.arns import parse_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.observe.logs.model import LogGroup, LogStream, Position, parse_position
from penstock.observe.logs.records import find_group, find_stream
from penstock.store.database import Connection


def invalid(message: str) -> ApiError:
    """A parameter that cannot be."""
    return ApiError("InvalidParameterException", message)


def not_found(message: str) -> ApiError:
    """Something the request names is not there."""
    return ApiError("ResourceNotFoundException", message)


def existing_group(connection: Connection, scope: Scope, name: str | None) -> LogGroup:
    """The group of that name, or the refusal."""
    group = find_group(connection, scope, name) if name is not None else None
    if group is None:
        raise not_found("The specified log group does not exist.")
    return group


def existing_stream(connection: Connection, group: LogGroup, name: str) -> LogStream:
    """The stream of that name, or the refusal."""
    stream = find_stream(connection, group.id, name)
    if stream is None:
        raise not_found("The specified log stream does not exist.")
    return stream


def group_name(scope: Scope, params: Mapping[str, Any]) -> str | None:
    """The group a request names by `logGroupName` or `logGroupIdentifier`; None when the ARN is of another owner."""
    name, identifier = params.get("logGroupName"), params.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Specify either logGroupName or logGroupIdentifier, and not both.")
    return name if name is not None else name_of(scope, str(identifier))


def name_of(scope: Scope, identifier: str) -> str | None:
    """The name inside a log group's ARN in this scope, with or without `:*`; anything but an ARN is a name."""
    parsed = parse_arn(identifier)
    if parsed is None:
        return identifier
    if parsed.service != "logs" or parsed.scope != scope or not parsed.resource.startswith("log-group:"):
        return None
    return parsed.resource.removeprefix("log-group:").removesuffix(":*")


def position(text: str) -> Position:
    """A position inside a token, or the refusal."""
    parsed = parse_position(text)
    if parsed is None:
        raise invalid("The specified nextToken is invalid.")
    return parsed
