"""Tags, on functions only. Rule: they describe and change nothing that runs, so they leave no mark on the timeline.

See https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.core.arns import parse_arn
from penstock.core.context import RequestContext
from penstock.registry.desk import Desk, Transaction
from penstock.registry.lookup import existing_function
from penstock.registry.records import write_function
from penstock.registry.reference import read_reference
from penstock.registry.refusals import invalid, not_found

TAG_LIMIT = 50
Change = Callable[[Mapping[str, str]], dict[str, str]]


async def tag_resource(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """TagResource: add or overwrite."""
    await _set(desk, context, params, lambda tags: {**tags, **params["Tags"]})


async def untag_resource(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> None:
    """UntagResource: keys that are not there are fine."""
    gone = set(params["TagKeys"])
    await _set(desk, context, params, lambda tags: {key: value for key, value in tags.items() if key not in gone})


async def list_tags(desk: Desk, context: RequestContext, params: Mapping[str, Any]) -> Mapping[str, str]:
    """ListTags."""
    name = _function_name(context, params["Resource"])
    function = await desk.store.read(lambda connection: existing_function(connection, context.scope, name))
    return function.tags


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, or `ApiError` when AWS would not take them."""
    if len(tags) > TAG_LIMIT:
        raise invalid(f"A function can have {TAG_LIMIT} tags, this one would have {len(tags)}.")
    reserved = sorted(key for key in tags if key.lower().startswith("aws:"))
    if reserved:
        raise invalid(f"Tag keys that begin with aws: are reserved: {', '.join(reserved)}")
    return dict(tags)


async def _set(desk: Desk, context: RequestContext, params: Mapping[str, Any], change: Change) -> None:
    name = _function_name(context, params["Resource"])

    def work(transaction: Transaction) -> None:
        function = existing_function(transaction.connection, context.scope, name)
        write_function(transaction.connection, replace(function, tags=check_tags(change(function.tags))))

    await desk.commit(work)


def _function_name(context: RequestContext, resource: str) -> str:
    arn = parse_arn(resource)
    if arn is None or not arn.resource.startswith("function:"):
        raise not_found(f"The resource {resource} does not exist: Penstock tags functions only.")
    reference = read_reference(context, resource)
    if reference.qualifier is not None:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    return reference.name
