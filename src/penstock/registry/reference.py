"""How callers name a function: its name, a partial ARN or a full ARN, each with or without a qualifier.

Rule: every operation reads `FunctionName` (and `Qualifier`) through here, so that all forms work everywhere.
"""

import re
from typing import NamedTuple

from penstock.core.arns import function_arn
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.registry.refusals import invalid, not_found, out_of_bounds

FORM = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>[a-z]{2}[a-z-]*-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
NAME_LIMIT = 64
FUNCTIONS_ONLY = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)


class Reference(NamedTuple):
    """A function of the caller's own account and region, and the qualifier asked for, if any."""

    name: str
    qualifier: str | None = None


def read_reference(context: RequestContext, text: str, qualifier: str | None = None) -> Reference:
    """The function that `text` and the `Qualifier` parameter name together.

    Raises `ApiError`: the two disagree, the function is another account's (`AccessDeniedException`) or region's
    (`ResourceNotFoundException`), or the text is no form of a function's name.
    """
    form = FORM.fullmatch(text)
    if not form:
        raise invalid(f"{text[:200]!r} is neither a function's name nor an ARN of a function.")
    name, inner = form["name"], form["qualifier"]
    if len(name) > NAME_LIMIT:
        raise out_of_bounds(name, "functionName", f"Member must have length less than or equal to {NAME_LIMIT}")
    if inner and qualifier and inner != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    _check_owner(context, form)
    return Reference(name, qualifier or inner)


def read_unqualified(context: RequestContext, text: str) -> str:
    """The function's name, for operations on the function as a whole."""
    reference = read_reference(context, text)
    if reference.qualifier is not None:
        raise invalid(FUNCTIONS_ONLY)
    return reference.name


def _check_owner(context: RequestContext, form: re.Match[str]) -> None:
    scope = context.scope
    if form["account"] not in (None, scope.account):
        action = f"lambda:{context.operation}"
        resource = function_arn(scope, form["name"]).replace(scope.account, form["account"])
        raise ApiError(
            "AccessDeniedException",
            f"User: {context.principal.arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no resource-based policy allows the {action} action",
            status=403,
        )
    if form["region"] not in (None, scope.region):
        raise not_found(f"Functions from '{form['region']}' are not reachable in this region ('{scope.region}')")
