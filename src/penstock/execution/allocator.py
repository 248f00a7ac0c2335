"""Keeps provisioned environments: as many of each version as asked for, ready before traffic comes, made anew when they
die. Rule: a reconcile loop over what the routing table declares; it remembers nothing that a restart would have to
recover.

New ones are started before old ones are let go, so that a shift may hold up to twice the number asked for a moment.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from penstock.core.clock import Clock
from penstock.core.loop import Loop
from penstock.execution.admission import Admission
from penstock.execution.allocation import Failure, Goal, Want, failed_again, goals, is_met, missing, still_failing
from penstock.execution.environment import Environment, LaunchError
from penstock.execution.flight import Flight
from penstock.execution.pool import Pool
from penstock.execution.states import State
from penstock.execution.warmup import Warmup
from penstock.registry.concurrency import totals
from penstock.registry.model import Alias, FunctionVersion, ProvisionedConfig, Warmth
from penstock.registry.model import State as VersionState

log = logging.getLogger(__name__)

EVERY_S = 1.0
HOLD_S = 10.0
"""Real seconds that an alias waits at most for its new version to get warm."""
RENEW_AFTER_S = 6 * 3600.0
"""Real seconds after which an environment is replaced: its credentials live for twelve hours."""
SUDDEN_S = 5.0
"""An environment that dies this soon, unused, counts as one that could not be made."""
INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"


class Allocations(Protocol):
    """What is declared. Implemented by `registry.routing.Routes`."""

    def provisioned(self) -> list[Want]:
        """Every configuration with the route that it is for."""

    def held(self) -> list[Alias]:
        """Aliases that wait for their new version."""

    def let_go(self, alias: Alias) -> None:
        """They wait no longer."""

    def follow(self, follower: Callable[[], None]) -> None:
        """Be told of changes."""

    def serves(self, version: FunctionVersion) -> bool:
        """Whether invokes of the version may be expected."""


class Allocator:
    """See the module."""

    def __init__(
        self,
        *,
        clock: Clock,
        declared: Allocations,
        pool: Pool[Flight],
        warmup: Warmup,
        admission: Admission,
        offer: Callable[[Environment], None],
        is_open: Callable[[], bool],
        at_once: int,
    ) -> None:
        """`offer` hands a ready environment out; nothing starts before `is_open`, and only `at_once` at a time."""
        self._clock = clock
        self._declared = declared
        self._pool = pool
        self._warmup = warmup
        self._admission = admission
        self._offer = offer
        self._is_open = is_open
        self._at_once = at_once
        self._starting: Counter[str] = Counter()
        self._failures: dict[str, Failure] = {}
        self._held_since: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = Loop("provisioned-concurrency", self.step, clock, EVERY_S)

    def start(self) -> None:
        """Start on the running event loop."""
        self._declared.follow(self._loop.wake)
        self._loop.start()

    async def stop(self) -> None:
        """Make no more; those that are being made end."""
        await self._loop.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def warmth(self, config: ProvisionedConfig) -> Warmth:
        """See `registry.ports.Thermometer`."""
        wants = [(one, route) for one, route in self._declared.provisioned() if one.arn == config.arn]
        ready, failure = 0, None
        for code_id, goal in goals(wants).items():
            ready += min(goal.count, len(self._pool.provisioned(code_id)))
            known = self._failures.get(code_id)
            if known and known.failed_at >= config.modified_at:
                failure = known.reason
        return Warmth(ready, ready, failure)

    async def step(self) -> None:
        """One look: start what is missing, let go of what waited long enough, release what is too many."""
        wants = self._declared.provisioned()
        self._admission.set_provisioned(totals(config for config, _ in wants))
        wanted = goals(wants)
        self._failures = {code_id: one for code_id, one in self._failures.items() if code_id in wanted}
        if self._is_open():
            self._renew()
            for goal in wanted.values():
                self._fill(goal)
        there = Counter(one.version.code_id for one in self._pool.all_provisioned() if not one.doomed)
        self._let_go(wanted, there)
        self._release(wanted, there)

    def _fill(self, goal: Goal) -> None:
        if goal.version.state is not VersionState.ACTIVE:
            return
        code_id, now = goal.version.code_id, self._clock.monotonic()
        there, failure = len(self._pool.provisioned(code_id)), self._failures.get(code_id)
        wanted = missing(goal, there, self._starting[code_id], failure, now)
        for _ in range(min(wanted, self._at_once - self._starting.total())):
            self._starting[code_id] += 1
            task = asyncio.get_running_loop().create_task(self._make(goal.version))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _make(self, version: FunctionVersion) -> None:
        try:
            async with self._warmup.place():
                made = await self._warmup.provision(version, self._gone)
        except LaunchError as error:
            self._fail(version, f"{error.code}: {error}")
        except Exception:
            log.exception("no provisioned environment of %s: the server failed", version.arn)
            self._fail(version, "ServiceException: the server failed; its log has the details")
        else:
            if isinstance(made, str):
                self._fail(version, f"{INIT_FAILURE}: {made}")
            else:
                self._take_in(made)
        finally:
            self._starting[version.code_id] -= 1
            self._loop.wake()

    def _take_in(self, environment: Environment) -> None:
        if environment.state is not State.IDLE or environment.doomed:
            environment.stop()
            return
        self._failures.pop(environment.version.code_id, None)
        self._pool.provision(environment)
        self._offer(environment)

    def _fail(self, version: FunctionVersion, reason: str) -> None:
        before, now = self._failures.get(version.code_id), self._clock.monotonic()
        self._failures[version.code_id] = failed_again(before, reason, now, self._clock.now())
        log.warning("no provisioned environment of %s: %s", version.arn, reason)

    def _gone(self, environment: Environment) -> None:
        provisioned = self._pool.is_provisioned(environment)
        self._pool.remove(environment)
        if provisioned:
            age_s = self._clock.monotonic() - environment.created_at
            if age_s < SUDDEN_S and not environment.invokes and not environment.doomed:
                self._fail(environment.version, f"{INIT_FAILURE}: the process ended right after its init")
            self._loop.wake()

    def _renew(self) -> None:
        now = self._clock.monotonic()
        for environment in self._pool.all_provisioned():
            if now - environment.created_at > RENEW_AFTER_S and environment.state is State.IDLE:
                self._pool.doom(lambda one, old=environment: one is old)  # type: ignore[misc]
                return  # one at a look, so that the others stand in

    def _let_go(self, wanted: dict[str, Goal], there: Counter[str]) -> None:
        now, held = self._clock.monotonic(), self._declared.held()
        self._held_since = {one.revision_id: self._held_since.get(one.revision_id, now) for one in held}
        for alias in held:
            awaited = [goal for goal in wanted.values() if _is_of(goal, alias)]
            warm = all(is_met(goal, there) or self._is_failing(goal) for goal in awaited)
            if warm or now - self._held_since[alias.revision_id] > HOLD_S:
                self._declared.let_go(alias)

    def _release(self, wanted: dict[str, Goal], there: Counter[str]) -> None:
        lacking = {(goal.version.scope, goal.version.name) for goal in wanted.values() if not is_met(goal, there)}
        surplus = {
            code_id: count - (wanted[code_id].count if code_id in wanted else 0) for code_id, count in there.items()
        }
        # Idle ones first; a busy one ends its invoke as if nothing happened.
        for environment in sorted(self._pool.all_provisioned(), key=lambda one: one.state is not State.IDLE):
            version = environment.version
            if surplus[version.code_id] > 0 and (version.scope, version.name) not in lacking and not environment.doomed:
                surplus[version.code_id] -= 1
                self._pool.demote(environment)

    def _is_failing(self, goal: Goal) -> bool:
        return still_failing(goal, self._failures.get(goal.version.code_id))


def _is_of(goal: Goal, alias: Alias) -> bool:
    version = goal.version
    return (version.scope, version.name) == (alias.scope, alias.function) and version.version in (
        alias.version,
        *alias.weights,
    )
