"""Evaluates alarms: all of them every ten business seconds, on periods that have closed. Rule: no call is needed.

AWS evaluates an alarm with a period of whole minutes once a minute, on closed minutes, a minute or two late because
samples travel. Here they do not travel, so the minute that just closed counts at once; the open one never does: its
first seconds would say things that AWS would not say. Evaluating more often than a minute catches samples that
clients publish late. The time from a bad minute to ALARM is therefore seconds, where AWS takes one to two minutes.
A step reads everything from the store and looks at now only, so a restart or a long gap replays no history.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence

from penstock.core.bus import Bus
from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.core.loop import Loop
from penstock.observe.alarms.evaluate import evaluate, range_length
from penstock.observe.alarms.family import Verdict, composite_verdicts
from penstock.observe.alarms.machine import Mover
from penstock.observe.alarms.model import (
    Alarm,
    AlarmStateChanged,
    CompositeRule,
    Datapoint,
    MetricRule,
)
from penstock.observe.alarms.records import read_alarms
from penstock.observe.alarms.transition import move
from penstock.observe.metrics.model import MetricKey, SeriesQuery
from penstock.observe.metrics.queries import QueryError, read_queries, run_queries
from penstock.observe.metrics.read import Periods
from penstock.observe.metrics.statistic import parse_statistic
from penstock.store.database import Connection, Store

log = logging.getLogger(__name__)

SLOT_S = 10.0
LOOK_EVERY_S = 2.0
"""Business seconds between two looks at the clock: how late after its slot an evaluation begins."""
Fetch = Callable[[SeriesQuery], Awaitable[Periods]]


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
        if wanted and any(alarm.name in wanted and isinstance(alarm.rule, CompositeRule) for alarm in alarms):
            wanted = None
        metric_alarms = [a for a in alarms if isinstance(a.rule, MetricRule) and (wanted is None or a.name in wanted)]
        verdicts = [await self._verdict(alarm) for alarm in metric_alarms]
        await self._write([verdict for verdict in verdicts if verdict], Mover.METRIC_EVALUATION)
        if any(isinstance(alarm.rule, CompositeRule) for alarm in alarms):
            alarms = await self._store.read(lambda connection: read_alarms(connection, scope))
            await self._write(composite_verdicts(alarms, self._clock.now()), Mover.COMPOSITE_EVALUATION)

    async def _step(self) -> None:
        slot = math.floor(self._clock.now() / SLOT_S)
        if slot > self._slot:
            self._slot = slot
            await self.evaluate()

    async def _verdict(self, alarm: Alarm) -> Verdict | None:
        now = self._clock.now()
        end = closed_until(alarm.rule, now) if isinstance(alarm.rule, MetricRule) else now
        if alarm.standing.by_hand and alarm.standing.updated_at >= end:
            return None  # set by hand, and no period has closed since
        try:
            datapoints = await self._datapoints(alarm, end)
        except QueryError as error:  # a rule that was checked when it was put: ours to mend, and no reason to stop
            log.error("alarm %s cannot be evaluated: %s", alarm.arn, error)  # noqa: TRY400 - the message is the point
            return None
        decision = (
            evaluate(alarm.rule, datapoints, alarm.standing.state, now) if isinstance(alarm.rule, MetricRule) else None
        )
        return Verdict(alarm, decision) if decision else None

    async def _datapoints(self, alarm: Alarm, end: float) -> list[Datapoint]:
        rule = alarm.rule
        if not isinstance(rule, MetricRule):
            return []
        start = end - range_length(rule) * rule.period_s
        found = (
            await self._watched(alarm.scope, rule, start, end)
            if rule.watch
            else await self._computed(alarm.scope, rule, start, end)
        )
        by_at = {point.at: point for point in found}
        instants = [start + step * rule.period_s for step in range(range_length(rule))]
        return [by_at.get(at, Datapoint(at)) for at in instants]

    async def _watched(self, scope: Scope, rule: MetricRule, start: float, end: float) -> list[Datapoint]:
        watch = rule.watch
        if watch is None:
            return []
        key = MetricKey(scope, watch.namespace, watch.metric, watch.dimensions)
        periods = await self._fetch(SeriesQuery(key, start, end, rule.period_s, watch.unit))
        statistic = parse_statistic(watch.statistic)
        return [Datapoint(at, statistic.of(cell), cell.count) for at, cell in periods.items()]

    async def _computed(self, scope: Scope, rule: MetricRule, start: float, end: float) -> list[Datapoint]:
        queries = read_queries(scope, rule.queries)
        results = await run_queries(queries, self._fetch, start, end, end)
        watched = next(query.id for query in queries if query.returns_data)
        series = results[watched]
        return [Datapoint(at, value) for at, value in series[0].points.items()] if series else []

    async def _write(self, verdicts: Sequence[Verdict], mover: Mover) -> list[AlarmStateChanged]:
        if not verdicts:
            return []
        now = self._clock.now()

        def write(connection: Connection) -> list[AlarmStateChanged]:
            facts = [_apply(connection, verdict, mover, now) for verdict in verdicts]
            return [fact for fact in facts if fact]

        facts = await self._store.write(write)
        for fact in facts:
            self._bus.publish(fact)
        return facts


def closed_until(rule: MetricRule, now: float) -> float:
    """The end of the newest period that is over: on the minute, or on the period where that is shorter."""
    grain = min(rule.period_s, 60)
    return float(math.floor(now / grain) * grain)


def _apply(connection: Connection, verdict: Verdict, mover: Mover, now: float) -> AlarmStateChanged | None:
    decision = verdict.decision
    return move(connection, verdict.alarm, decision.state, decision.reason, decision.reason_data, mover, now)
