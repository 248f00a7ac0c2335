"""What can be set on a log group: retention, deletion protection, tags."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.core.context import RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.logs.model import LogGroup
from penstock.observe.logs.records import update_group
from penstock.observe.logs.refusals import existing_group, invalid, name_of, not_found
from penstock.store.database import Connection, Store

RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
TAG_LIMIT = 50
Change = Callable[[LogGroup, Params], dict[str, Any]]
"""The columns of a group that a request changes."""


def operations(store: Store) -> Mapping[str, Operation]:
    """The family's operations."""

    def changing(change: Change) -> Operation:
        async def operation(context: RequestContext, params: Params) -> Result:
            def work(connection: Connection) -> None:
                group = existing_group(connection, context.scope, _name(context.scope, params))
                update_group(connection, group.id, **change(group, params))

            await store.write(work)
            return {}

        return operation

    async def list_tags(context: RequestContext, params: Params) -> Result:
        name = _name(context.scope, params)
        group = await store.read(lambda connection: existing_group(connection, context.scope, name))
        return {"tags": dict(group.tags)}

    return {
        "PutRetentionPolicy": changing(_retention),
        "DeleteRetentionPolicy": changing(lambda *_: {"retention_days": None}),
        "PutLogGroupDeletionProtection": changing(
            lambda _, params: {"deletion_protection": params["deletionProtectionEnabled"]}
        ),
        "TagResource": changing(_tag),
        "TagLogGroup": changing(_tag),
        "UntagResource": changing(lambda group, params: _untag(group, params["tagKeys"])),
        "UntagLogGroup": changing(lambda group, params: _untag(group, params["tags"])),
        "ListTagsForResource": list_tags,
        "ListTagsLogGroup": list_tags,
    }


def _name(scope: Scope, params: Params) -> str | None:
    """The group by whichever member this operation has for it."""
    if "logGroupName" in params:
        return str(params["logGroupName"])
    if "logGroupIdentifier" in params:
        return name_of(scope, params["logGroupIdentifier"])
    name = name_of(scope, params["resourceArn"])
    if name is None or name == params["resourceArn"]:
        raise not_found("The specified resource does not exist: only log groups of this account and region have tags.")
    return name


def _retention(_: LogGroup, params: Params) -> dict[str, Any]:
    days = params["retentionInDays"]
    if days not in RETENTIONS:
        raise invalid(f"Invalid retention value {days}: it must be one of {', '.join(map(str, RETENTIONS))} days.")
    return {"retention_days": days}


def _tag(group: LogGroup, params: Params) -> dict[str, Any]:
    tags = {**group.tags, **checked_tags(params["tags"])}
    if len(tags) > TAG_LIMIT:
        code = "TooManyTagsException" if "resourceArn" in params else "InvalidParameterException"
        raise ApiError(code, f"A log group has at most {TAG_LIMIT} tags, these would be {len(tags)}.")
    return {"tags": tags}


def _untag(group: LogGroup, keys: list[str]) -> dict[str, Any]:
    return {"tags": {key: value for key, value in group.tags.items() if key not in keys}}


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, or the refusal."""
    reserved = [key for key in tags if key.lower().startswith("aws:")]
    if reserved:
        raise invalid(f"The tag {reserved[0]} begins with aws:, which is reserved.")
    return dict(tags)
