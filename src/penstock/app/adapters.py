"""How rooms that do not know each other work together. Rule: a few lines each; what needs more belongs in a room."""

from collections.abc import Callable, Mapping

from penstock.core.bus import Bus
from penstock.core.errors import ApiError
from penstock.execution.room import Execution
from penstock.gateway.contract import Operation, RawHandler
from penstock.registry.facts import FunctionChanged, FunctionDeleted
from penstock.registry.model import LATEST, ProvisionedConfig, Warmth
from penstock.registry.room import Registry


class Warm:
    """The registry's thermometer: execution is made after the registry, so it is asked when it is there."""

    def __init__(self, execution: Callable[[], Execution]):
        """`execution` is not called before every room is made."""
        self._execution = execution

    def warmth(self, config: ProvisionedConfig) -> Warmth:
        """See `registry.ports.Thermometer`."""
        return self._execution().warmth(config)


class FunctionFollower:
    """Environments follow what becomes of their function: stale ones end, reserved concurrency counts at once.

    A room without operations, so that it can look at every function once the registry has loaded them.
    """

    def __init__(self, bus: Bus, registry: Registry, execution: Execution):
        """Follows from now on."""
        self._registry = registry
        self._execution = execution
        bus.subscribe(FunctionChanged, self._changed)
        bus.subscribe(FunctionDeleted, self._deleted)

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """None."""
        return {}

    def routes(self) -> Mapping[str, RawHandler]:
        """None."""
        return {}

    async def start(self) -> None:
        """Tell execution what the functions of earlier days reserve, and warm the zygotes they will need."""
        functions = self._registry.routing.functions()
        for function in functions:
            self._changed(FunctionChanged(function.scope, function.name))

    async def stop(self) -> None:
        """Nothing to stop."""

    def _changed(self, fact: FunctionChanged) -> None:
        try:
            route = self._registry.routing.resolve(fact.scope, fact.name)
        except ApiError:  # deleted meanwhile; the other fact follows
            return
        self._execution.set_reserved(fact.scope, fact.name, route.reserved_concurrency)
        self._execution.retire(fact.scope, fact.name, LATEST, keep_revision=route.primary.revision_id)
        self._execution.warm(route.primary.runtime)

    def _deleted(self, fact: FunctionDeleted) -> None:
        self._execution.set_reserved(fact.scope, fact.name, None)
        self._execution.retire(fact.scope, fact.name)
