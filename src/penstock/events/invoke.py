"""Invoke, from a resolved route to an outcome: now, later, or not at all. Rule: no database on the way of a warm
synchronous invoke; routing is read from memory, chance comes from the dice.
"""

import asyncio
from typing import NamedTuple

from penstock.core.context import Scope
from penstock.core.dice import Dice
from penstock.core.errors import ApiError
from penstock.execution.model import Executor, Invocation, Outcome, OutcomeKind
from penstock.execution.stream import ResponseStream
from penstock.registry.model import FunctionVersion, Route, State
from penstock.registry.routing import Routes

SYNC_LIMIT = 6_291_556
ASYNC_LIMIT = 1_048_576


class Call(NamedTuple):
    """One request to run a function, its reference already taken apart."""

    request_id: str
    scope: Scope
    function: str
    qualifier: str | None
    payload: bytes
    invoked_arn: str
    client_context: str | None = None
    trace_header: str | None = None


class Invoker:
    """Runs calls through the routing table and the executor."""

    def __init__(self, *, routes: Routes, executor: Executor, dice: Dice):
        """All three are shared with the rooms below."""
        self._routes = routes
        self._executor = executor
        self._dice = dice

    def route(self, call: Call) -> Route:
        """Where the call goes; raises ResourceNotFoundException or, while a function is not ready, a conflict."""
        route = self._routes.resolve(call.scope, call.function, call.qualifier)
        refuse_unready(route.primary)
        return route

    async def run(self, call: Call) -> Outcome:
        """Run it now. The outcome is a value; only an unknown or unready function raises."""
        version, invocation = self._aim(call, None)
        # No shield is needed (it would cost a task): the executor runs an invoke to its end whoever goes away.
        return await self._executor.invoke(version, invocation)

    def start(self, call: Call, stream: ResponseStream) -> tuple[str, "asyncio.Task[Outcome]"]:
        """Start it with a stream to write to: the version that runs, and its outcome to come. Raises as `run` does."""
        version, invocation = self._aim(call, stream)
        return version.version, asyncio.ensure_future(self._executor.invoke(version, invocation))

    def _aim(self, call: Call, stream: ResponseStream | None) -> tuple[FunctionVersion, Invocation]:
        route = self._routes.resolve(call.scope, call.function, call.qualifier)
        version = route.choose(self._dice.random())
        refuse_unready(version)
        invocation = Invocation(
            request_id=call.request_id,
            payload=call.payload,
            invoked_arn=call.invoked_arn,
            alias=route.alias,
            client_context=call.client_context,
            trace_header=call.trace_header,
            reserved_concurrency=route.reserved_concurrency,
            stream=stream,
        )
        return version, invocation


def refuse_unready(version: FunctionVersion) -> None:
    """Raise AWS's error for a version whose code is not there yet, or could not be made ready."""
    if version.state not in (State.ACTIVE, State.INACTIVE):
        raise ApiError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: "
            f"{version.state}",
            fields={"Type": "User"},
        )


def refuse_unless_run(outcome: Outcome) -> None:
    """Raise AWS's error for an invoke that never reached the function."""
    if outcome.kind is OutcomeKind.THROTTLED:
        raise ApiError(
            "TooManyRequestsException",
            "Rate Exceeded.",
            fields={"Type": "User", "Reason": outcome.reason or "ConcurrentInvocationLimitExceeded"},
        )
    if outcome.kind is OutcomeKind.PLATFORM_ERROR:
        raise ApiError(outcome.error_code or "ServiceException", outcome.reason or "The runtime could not be started.")
