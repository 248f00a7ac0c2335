"""Log groups on the wire: made, shown, deleted."""

from collections.abc import Mapping
from typing import Any

from penstock.core.clock import Clock
from penstock.core.context import RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, decode_token, encode_token
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.api.log_settings import checked_tags
from penstock.observe.logs.model import LogGroup
from penstock.observe.logs.records import delete_group, find_group, insert_group, list_groups
from penstock.observe.logs.refusals import existing_group, invalid, name_of
from penstock.observe.logs.sink import BufferedLogSink
from penstock.store.database import Connection, Store

PAGE = 50
INFREQUENT = ("INFREQUENT_ACCESS", "ESSENTIALS")


def operations(store: Store, clock: Clock, sink: BufferedLogSink) -> Mapping[str, Operation]:
    """The family's operations."""

    async def create_log_group(context: RequestContext, params: Params) -> Result:
        name = params["logGroupName"]
        if name.startswith("aws/"):
            raise invalid("Log groups starting with aws/ are reserved for AWS.")
        tags = checked_tags(params.get("tags", {}))

        def work(connection: Connection) -> None:
            if find_group(connection, context.scope, name):
                raise ApiError("ResourceAlreadyExistsException", "The specified log group already exists")
            insert_group(
                connection,
                context.scope,
                name,
                int(clock.now() * 1000),
                kms_key_id=params.get("kmsKeyId"),
                log_class=params.get("logGroupClass", "STANDARD"),
                deletion_protection=params.get("deletionProtectionEnabled", False),
                tags=tags,
            )

        await store.write(work)
        return {}

    async def delete_log_group(context: RequestContext, params: Params) -> Result:
        def work(connection: Connection) -> None:
            group = existing_group(connection, context.scope, params["logGroupName"])
            if group.deletion_protection:
                raise ApiError(
                    "ValidationException",
                    f"The log group {group.name} is protected from deletion: switch its deletion protection off first.",
                )
            delete_group(connection, group.id)

        await sink.flush()  # else lines written before would bring the group back
        await store.write(work)
        return {}

    async def describe_log_groups(context: RequestContext, params: Params) -> Result:
        where = _where(context.scope, params)
        limit = params.get("limit", PAGE)
        after = _after(params.get("nextToken"))
        await sink.flush()
        groups = await store.read(
            lambda connection: list_groups(connection, context.scope, after=after, limit=limit + 1, where=where)
        )
        more = len(groups) > limit
        return {
            "logGroups": [_shown(group) for group in groups[:limit]],
            "nextToken": encode_token(groups[limit - 1].name) if more else None,
        }

    return {
        "CreateLogGroup": create_log_group,
        "DeleteLogGroup": delete_log_group,
        "DescribeLogGroups": describe_log_groups,
    }


def _where(scope: Scope, params: Params) -> dict[str, Any]:
    prefix, substring = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
    identifiers, log_class = params.get("logGroupIdentifiers"), params.get("logGroupClass")
    if prefix and substring:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if identifiers and (prefix or substring or log_class):
        raise invalid("logGroupIdentifiers cannot be combined with other filters.")
    where: dict[str, Any] = {}
    if prefix:
        where["prefix"] = prefix
    if substring:
        where["substring"] = substring
    if identifiers:
        where["names"] = [name_of(scope, identifier) for identifier in identifiers]
    if log_class:
        where["classes"] = INFREQUENT if log_class in INFREQUENT else (log_class,)
    return where


def _after(token: str | None) -> str:
    try:
        return decode_token(token) if token else ""
    except BadTokenError:
        raise invalid("The specified nextToken is invalid.") from None


def _shown(group: LogGroup) -> Result:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": group.stored_bytes,
        "kmsKeyId": group.kms_key_id,
        "logGroupClass": group.log_class,
        "deletionProtectionEnabled": group.deletion_protection,
    }
