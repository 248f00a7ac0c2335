"""Tags on applications, groups and configurations. Rule: only what exists can be tagged."""

from collections.abc import Mapping, Sequence

from penstock.core.arns import parse_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.catalog.model import MOST_TAGS
from penstock.release.catalog.records import read_config
from penstock.release.requests import wanted_application, wanted_group
from penstock.store.database import Connection


def new_tags(given: Sequence[Mapping[str, str]] | None, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The known tags with the given ones added or replaced. Raises `InvalidTagsToAddException`."""
    tags = dict(known or {})
    for tag in given or ():
        key = tag.get("Key") or ""
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(tag.get("Value") or "") > 256:
            raise ApiError(
                "InvalidTagsToAddException",
                f"The tag {key!r} is not valid: a key has 1 to 128 characters and does not begin with aws:, a value "
                "has at most 256.",
            )
        tags[key] = tag.get("Value") or ""
    if len(tags) > MOST_TAGS:
        raise ApiError("InvalidTagsToAddException", f"A resource can have {MOST_TAGS} tags, not {len(tags)}.")
    return tags


def check_tagged(connection: Connection, scope: Scope, arn: str) -> None:
    """Raise CodeDeploy's errors unless `arn` names something of ours that exists."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "codedeploy":
        raise ApiError("InvalidArnException", f"{arn!r} is not the ARN of a CodeDeploy resource.")
    kind, _, name = parsed.resource.partition(":")
    if parsed.scope != scope:
        raise ApiError("ArnNotSupportedException", f"{arn} belongs to another account or region.")
    if kind == "application":
        wanted_application(connection, scope, name)
    elif kind == "deploymentgroup":
        application, _, group = name.partition("/")
        wanted_group(connection, scope, application, group)
    elif kind == "deploymentconfig" and read_config(connection, scope, name) is not None:
        pass
    elif kind == "deploymentconfig":
        raise ApiError("DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}")
    else:
        raise ApiError("ArnNotSupportedException", f"A {kind} cannot be tagged.")
