"""Evaluates alarms: all of them every ten business seconds, on periods that have closed. Rule: no call is needed.

AWS evaluates an alarm with a period of whole minutes once a minute, on closed minutes, a minute or two late because
samples travel. Here they do not travel, so the minute that just closed counts at once; the open one never does: its
first seconds would say things that AWS would not say. Evaluating more often than a minute catches samples that
clients publish late. The time from a bad minute to ALARM is therefore seconds, where AWS takes one to two minutes.
A step reads everything from the store and looks at now only, so a restart or a long gap replays no history.
"""

import logging
import math
from collections.abc import Iterable, Sequence

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.loop import Loop
from penstock.observe.alarms.datapoints import Fetch, closed_until, read_datapoints
from penstock.observe.alarms.evaluate import evaluate
from penstock.observe.alarms.family import Verdict, composite_verdicts
from penstock.observe.alarms.machine import Mover
from penstock.observe.alarms.model import Alarm, AlarmState, AlarmStateChanged, CompositeRule, Decision, MetricRule
from penstock.observe.alarms.records import read_alarms
from penstock.observe.alarms.transition import move
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)

SLOT_S = 10.0
LOOK_EVERY_S = 2.0
"""Business seconds between two looks at the clock: how late after its slot an evaluation begins."""
BREATH = 50
"""Alarms evaluated between two turns of the event loop: thousands of alarms must not hold up an invoke."""


class Evaluator:
    """Reads, decides, writes, tells."""

    def __init__(self, store: Store, clock: Clock, bus: Bus, fetch: Fetch):
        """Nothing runs until `start`."""
        self._store = store
        self._clock = clock
        self._bus = bus
        self._fetch = fetch
        self._slot = -math.inf
        self._loop = Loop("alarms", self._step, clock, LOOK_EVERY_S)

    def start(self) -> None:
        """Start the loop."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop the loop."""
        await self._loop.stop()

    def wake(self) -> None:
        """An alarm was written: evaluate without waiting for the next slot."""
        self._slot = -math.inf
        self._loop.wake()

    async def evaluate(self, scope: Scope | None = None, names: Iterable[str] | None = None) -> None:
        """Evaluate now: all alarms, those of a scope, or the named ones and every composite alarm of the scope.

        Naming a composite alarm evaluates the whole scope, since its state is its children's.
        """
        wanted = None if names is None else frozenset(names)
        alarms = await self._store.read(lambda connection: read_alarms(connection, scope))
        composites = [alarm for alarm in alarms if isinstance(alarm.rule, CompositeRule)]
        if wanted and any(alarm.name in wanted for alarm in composites):
            wanted = None
        chosen = [alarm for alarm in alarms if wanted is None or alarm.name in wanted]
        await self._write(await self._metric_verdicts(chosen), Mover.METRIC_EVALUATION)
        if composites:
            alarms = await self._store.read(lambda connection: read_alarms(connection, scope))
            await self._write(composite_verdicts(alarms, self._clock.now()), Mover.COMPOSITE_EVALUATION)

    async def _step(self) -> None:
        slot = math.floor(self._clock.now() / SLOT_S)
        if slot > self._slot:
            self._slot = slot
            await self.evaluate()

    async def _metric_verdicts(self, alarms: Sequence[Alarm]) -> list[Verdict]:
        verdicts = []
        for number, alarm in enumerate(alarms, 1):
            decision = await self._decide(alarm, alarm.rule) if isinstance(alarm.rule, MetricRule) else None
            if decision:
                verdicts.append(Verdict(alarm, decision))
            if number % BREATH == 0:
                await self._clock.pause(0)
        return verdicts

    async def _decide(self, alarm: Alarm, rule: MetricRule) -> Decision | None:
        now = self._clock.now()
        end = closed_until(rule, now)
        if alarm.standing.by_hand and alarm.standing.updated_at >= end:
            return None  # set by hand, and no period has closed since
        try:
            return evaluate(rule, await read_datapoints(self._fetch, alarm.scope, rule, end), alarm.standing.state, now)
        except Exception as error:
            # One alarm that cannot be computed must not blind the others, nor go on showing OK.
            log.exception("alarm %s cannot be evaluated", alarm.arn)
            reason = f"Penstock could not evaluate this alarm ({type(error).__name__}); its log says why."
            return Decision(AlarmState.INSUFFICIENT_DATA, reason, None)

    async def _write(self, verdicts: Sequence[Verdict], mover: Mover) -> None:
        if not verdicts:
            return
        now = self._clock.now()

        def write(connection: Connection) -> list[AlarmStateChanged | None]:
            return [_apply(connection, verdict, mover, now) for verdict in verdicts]

        for fact in await self._store.write(write):
            if fact:
                self._bus.publish(fact)


def _apply(connection: Connection, verdict: Verdict, mover: Mover, now: float) -> AlarmStateChanged | None:
    decision = verdict.decision
    return move(connection, verdict.alarm, decision.state, decision.reason, decision.reason_data, mover, now)
