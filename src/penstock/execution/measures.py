"""What an invoke adds to `AWS/Lambda`. Rule: memory only; dimension sets are made once per function and qualifier.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from functools import lru_cache

from penstock.core.context import Scope
from penstock.execution.admission import Slot
from penstock.observe.ports import Dimensions, MetricSink

NAMESPACE = "AWS/Lambda"
ACCOUNT: Dimensions = ()


@lru_cache(maxsize=4096)
def dimension_sets(name: str, resource: str, executed: str | None) -> tuple[Dimensions, ...]:
    """Across functions; by function; by resource (`orders:live`); by resource and executed version (aliases only)."""
    function: Dimensions = (("FunctionName", name),)
    by_resource: Dimensions = (*function, ("Resource", resource))
    sets = (ACCOUNT, function, by_resource)
    return (*sets, (("ExecutedVersion", executed), *by_resource)) if executed is not None else sets


@lru_cache(maxsize=4096)
def resource_name(invoked_arn: str, name: str) -> str:
    """What the caller named: `orders`, `orders:3` or `orders:live`."""
    parts = invoked_arn.split(":", 7)
    return f"{name}:{parts[7]}" if len(parts) == 8 else name


class Measures:
    """Writes the samples of each invoke."""

    def __init__(self, sink: MetricSink) -> None:
        """Samples go to `sink`, which touches memory only."""
        self._sink = sink

    def throttled(self, scope: Scope, sets: tuple[Dimensions, ...], at: float) -> None:
        """A throttled request is no invocation."""
        for dimensions in sets:
            self._sink.record(scope, NAMESPACE, "Throttles", dimensions, 1.0, "Count", at)

    def admitted(self, slot: Slot, sets: tuple[Dimensions, ...], at: float) -> None:
        """How many run at once, this one included."""
        record, scope = self._sink.record, slot.key[0]
        record(scope, NAMESPACE, "ConcurrentExecutions", ACCOUNT, slot.account_running, "Count", at)
        for dimensions in sets[1:3]:
            record(scope, NAMESPACE, "ConcurrentExecutions", dimensions, slot.running, "Count", at)
        if not slot.reserved:
            record(scope, NAMESPACE, "UnreservedConcurrentExecutions", ACCOUNT, slot.unreserved_running, "Count", at)

    def ended(self, scope: Scope, sets: tuple[Dimensions, ...], at: float, duration_ms: float, *, failed: bool) -> None:
        """One invocation. Errors is 0 or 1, so that its average is the error rate."""
        record, errors = self._sink.record, 1.0 if failed else 0.0
        for dimensions in sets:
            record(scope, NAMESPACE, "Invocations", dimensions, 1.0, "Count", at)
            record(scope, NAMESPACE, "Errors", dimensions, errors, "Count", at)
            record(scope, NAMESPACE, "Duration", dimensions, duration_ms, "Milliseconds", at)
