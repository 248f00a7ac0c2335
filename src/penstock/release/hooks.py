"""Invoking hook functions: an effect that is durable because the deployment itself remembers that it is due.

Rule: an invoke is in flight in memory only; what came of it is on record before anybody acts on it. After a crash the
tick finds the event without a result and invokes again with the same execution id (so a hook may run twice, never
not at all).
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.dice import Dice, new_uuid
from penstock.release.model import Deployment, EventStatus, LifecycleEvent
from penstock.release.outcome import InvokeHook
from penstock.release.ports import HookInvocation, HookInvoker, HookResult
from penstock.release.records import read_deployment, save_deployment
from penstock.store.database import Connection, Store
from penstock.store.patience import write_patiently

log = logging.getLogger(__name__)
THROTTLED_RETRY_S = 15.0
WORDS = {
    HookResult.FUNCTION_ERROR: "the hook function {} ended with an error",
    HookResult.NOT_FOUND: "the hook function {} does not exist",
    HookResult.CANNOT_INVOKE: "the hook function {} could not be invoked",
}


class HookRunner:
    """Runs hook invokes in the background, each execution id at most once at a time."""

    def __init__(
        self, *, store: Store, clock: Clock, dice: Dice, invoker: HookInvoker, finished: Callable[[], None]
    ) -> None:
        """`finished` is called after a result is on record."""
        self._store = store
        self._clock = clock
        self._dice = dice
        self._invoker = invoker
        self._finished = finished
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, scope: Scope, effect: InvokeHook) -> None:
        """Invoke the hook unless that invoke is already in flight."""
        if effect.execution_id in self._running:
            return
        task = asyncio.get_running_loop().create_task(self._run(scope, effect), name=f"hook:{effect.execution_id}")
        self._running[effect.execution_id] = task
        task.add_done_callback(lambda _: self._running.pop(effect.execution_id, None))

    async def stop(self) -> None:
        """Let go of what is in flight; the next start invokes it again."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, scope: Scope, effect: InvokeHook) -> None:
        body = {"DeploymentId": effect.deployment_id, "LifecycleEventHookExecutionId": effect.execution_id}
        try:
            outcome = await self._invoker.invoke_hook(
                scope, effect.function, json.dumps(body).encode(), new_uuid(self._dice)
            )
        except Exception as error:
            log.exception("hook %s of deployment %s could not be invoked", effect.function, effect.deployment_id)
            outcome = HookInvocation(HookResult.CANNOT_INVOKE, f"{type(error).__name__}: {error}")
        now = self._clock.now()
        # Until it is on record the invoke counts as in flight, so that a full disk does not call the hook again.
        await write_patiently(
            self._store, self._clock, lambda connection: record_result(connection, scope, effect, outcome, now)
        )
        self._finished()


def record_result(
    connection: Connection, scope: Scope, effect: InvokeHook, outcome: HookInvocation, now: float
) -> None:
    """Write down how the invoke ended, unless the deployment has gone on without it."""
    deployment = read_deployment(connection, scope, effect.deployment_id)
    event = deployment.current_event if deployment else None
    if deployment is None or event is None or event.execution_id != effect.execution_id:
        return
    save_deployment(connection, with_event(deployment, _after(event, outcome, now)))


def with_event(deployment: Deployment, changed: LifecycleEvent) -> Deployment:
    """The deployment with one of its lifecycle events replaced."""
    events = tuple(changed if event.name is changed.name else event for event in deployment.events)
    return replace(deployment, events=events)


def _after(event: LifecycleEvent, outcome: HookInvocation, now: float) -> LifecycleEvent:
    if outcome.result is HookResult.OK:
        return replace(event, invoked=True, retry_at=None)
    if outcome.result is HookResult.THROTTLED:
        return replace(event, retry_at=now + THROTTLED_RETRY_S)
    words = WORDS[outcome.result].format(event.hook)
    return replace(event, broken=f"{words}: {outcome.words}" if outcome.words else words)


def takes_report(event: LifecycleEvent) -> bool:
    """Whether a hook may still say how it went."""
    return event.status is EventStatus.IN_PROGRESS and event.reported is None
