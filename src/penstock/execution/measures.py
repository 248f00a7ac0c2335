"""What an invoke adds to `AWS/Lambda`. Rule: memory only; the series of a function and qualifier are found once.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from penstock.core.context import Scope
from penstock.execution.admission import Slot
from penstock.observe.ports import Dimensions, Meter, MetricSink

NAMESPACE = "AWS/Lambda"
ACCOUNT: Dimensions = ()
KEPT = 4096
"""Functions and qualifiers whose series are held open."""
PROVISIONED = "ProvisionedConcurrencyInvocations"
SPILLOVER = "ProvisionedConcurrencySpilloverInvocations"
UTILIZATION = "ProvisionedConcurrencyUtilization"


def dimension_sets(name: str, resource: str, executed: str | None) -> tuple[Dimensions, ...]:
    """Across functions; by function; by resource (`orders:live`); by resource and executed version (aliases only)."""
    function: Dimensions = (("FunctionName", name),)
    by_resource: Dimensions = (*function, ("Resource", resource))
    sets = (ACCOUNT, function, by_resource)
    return (*sets, (("ExecutedVersion", executed), *by_resource)) if executed is not None else sets


def resource_name(invoked_arn: str, name: str) -> str:
    """What the caller named: `orders`, `orders:3` or `orders:live`."""
    parts = invoked_arn.split(":", 7)
    return f"{name}:{parts[7]}" if len(parts) == 8 else name


class FunctionMeasures:
    """The samples of one function under one qualifier."""

    __slots__ = ("_ended", "_own", "_provisioned", "_reserved", "_scope", "_sets", "_sink", "_throttled", "_unreserved")

    def __init__(self, sink: MetricSink, scope: Scope, sets: tuple[Dimensions, ...]) -> None:
        """`sets` as `dimension_sets` makes them."""
        running = [("ConcurrentExecutions", dimensions, "Count") for dimensions in sets[:3]]
        ended = [
            (name, dimensions, unit)
            for dimensions in sets
            for name, unit in (("Invocations", "Count"), ("Errors", "Count"), ("Duration", "Milliseconds"))
        ]
        self._sink, self._scope, self._own = sink, scope, sets[2:]
        self._provisioned: dict[str, Meter] | None = None
        """Opened when needed: few functions have any."""
        self._sets = len(sets)
        self._throttled = sink.meter(scope, NAMESPACE, [("Throttles", dimensions, "Count") for dimensions in sets])
        self._reserved = sink.meter(scope, NAMESPACE, running)
        unreserved = ("UnreservedConcurrentExecutions", ACCOUNT, "Count")
        self._unreserved = sink.meter(scope, NAMESPACE, [*running, unreserved])
        self._ended = sink.meter(scope, NAMESPACE, ended)

    def throttled(self, at: float) -> None:
        """A throttled request is no invocation."""
        self._throttled.add((1.0,) * self._sets, at)

    def admitted(self, slot: Slot, at: float) -> None:
        """How many run at once, this one included."""
        running = (slot.account_running, slot.running, slot.running)
        if slot.shared:
            self._unreserved.add((*running, slot.unreserved_running), at)
        else:
            self._reserved.add(running, at)

    def provisioned(self, at: float, *, used: bool, busy: int, allocated: int) -> None:
        """One invoke of a version with provisioned concurrency, on it (`used`) or spilled over to on-demand.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
        """
        if self._provisioned is None:
            self._provisioned = {name: self._open(name) for name in (PROVISIONED, SPILLOVER)}
        self._provisioned[PROVISIONED if used else SPILLOVER].add((1.0, busy, busy / allocated) * len(self._own), at)

    def _open(self, name: str) -> Meter:
        """The meter of such invokes: by version or alias, as AWS has them, never for the whole function."""
        names = ((name, "Count"), ("ProvisionedConcurrentExecutions", "Count"), (UTILIZATION, "Count"))
        series = [(each, dimensions, unit) for dimensions in self._own for each, unit in names]
        return self._sink.meter(self._scope, NAMESPACE, series)

    def ended(self, at: float, duration_ms: float, *, failed: bool) -> None:
        """One invocation. Errors is 0 or 1, so that its average is the error rate."""
        self._ended.add((1.0, 1.0 if failed else 0.0, duration_ms) * self._sets, at)


class Measures:
    """The measures of every function that is invoked."""

    def __init__(self, sink: MetricSink) -> None:
        """Samples go to `sink`, which touches memory only."""
        self._sink = sink
        self._known: dict[tuple[Scope, str, str, str | None], FunctionMeasures] = {}

    def of(self, scope: Scope, name: str, invoked_arn: str, executed: str | None) -> FunctionMeasures:
        """Those of a function as it was invoked; `executed` is the version when it went through an alias."""
        key = (scope, name, invoked_arn, executed)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()  # they are made again when needed, and hold no samples
            sets = dimension_sets(name, resource_name(invoked_arn, name), executed)
            found = self._known[key] = FunctionMeasures(self._sink, scope, sets)
        return found
