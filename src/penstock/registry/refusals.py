"""The refusals that several use cases share, in AWS's words. Rule: one wording, one place."""

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError

STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the {api} API to retrieve the latest Revision Id"
)


def function_not_found(scope: Scope, name: str, qualifier: str | None = None) -> ApiError:
    """No such function, version or alias."""
    return not_found(f"Function not found: {function_arn(scope, name, qualifier)}")


def not_found(message: str) -> ApiError:
    """404."""
    return ApiError("ResourceNotFoundException", message, fields={"Type": "User"})


def invalid(message: str) -> ApiError:
    """400: a parameter that the service model cannot judge."""
    return ApiError("InvalidParameterValueException", message, fields={"Type": "User"})


def out_of_bounds(value: object, member: str, constraint: str) -> ApiError:
    """400: a limit stricter than the service model's, in the words AWS uses for those of the model."""
    said = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return ApiError("ValidationException", said, status=400)


def conflict(message: str) -> ApiError:
    """409."""
    return ApiError("ResourceConflictException", message, fields={"Type": "User"})


def stale(api: str = "GetFunction/GetAlias") -> ApiError:
    """412: the caller's RevisionId is not the latest."""
    return ApiError("PreconditionFailedException", STALE.format(api=api), fields={"Type": "User"})
