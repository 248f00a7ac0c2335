"""Where invokes go, in memory: every function's versions and aliases, ready to be asked on the hot path.

Rule: filled from the store at start and changed only after a commit, on the event loop, in the order of the commits.
A reader sees the routing before a change or after it, never half of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.registry.model import LATEST, Alias, Function, FunctionVersion, Route


@dataclass(slots=True)
class _Entry:
    """One function. `routes` holds the answer for every qualifier asked so far; any change empties it."""

    function: Function
    versions: dict[str, FunctionVersion] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)


class Routes:
    """The routing table of all accounts and regions of one server."""

    def __init__(self) -> None:
        """Empty until `load`."""
        self._entries: dict[tuple[Scope, str], _Entry] = {}

    def load(
        self, functions: Iterable[Function], versions: Iterable[FunctionVersion], aliases: Iterable[Alias]
    ) -> None:
        """Replace everything; versions come with their environment variables opened."""
        entries = {(function.scope, function.name): _Entry(function) for function in functions}
        for version in versions:
            entries[version.scope, version.name].versions[version.version] = version
        for alias in aliases:
            entries[alias.scope, alias.function].aliases[alias.name] = alias
        self._entries = entries

    def resolve(self, scope: Scope, function_name: str, qualifier: str | None = None) -> Route:
        """Where an invoke of this qualifier (a number, an alias, `$LATEST` or None) goes.

        Raises `ApiError("ResourceNotFoundException")`. The versions' `state` is for the caller to look at.
        """
        entry = self._entries.get((scope, function_name))
        route = (entry.routes.get(qualifier or LATEST) or _add_route(entry, qualifier or LATEST)) if entry else None
        if route is None:
            arn = function_arn(scope, function_name, qualifier)
            raise ApiError("ResourceNotFoundException", f"Function not found: {arn}", fields={"Type": "User"})
        return route

    def functions(self) -> list[Function]:
        """Every function there is, for those who must follow all of them (execution, status)."""
        return [entry.function for entry in self._entries.values()]

    def reserved(self, scope: Scope) -> int:
        """The concurrency that functions of this scope have reserved in total."""
        mine = (entry.function for (owner, _), entry in self._entries.items() if owner == scope)
        return sum(function.reserved_concurrency or 0 for function in mine)

    def put_function(self, function: Function) -> None:
        """A new function, or new function-wide settings (reserved concurrency)."""
        entry = self._entries.setdefault((function.scope, function.name), _Entry(function))
        entry.function = function
        entry.routes = {}

    def put_version(self, version: FunctionVersion) -> None:
        """A new version, a new `$LATEST`, or a new state of one of them."""
        if entry := self._entries.get((version.scope, version.name)):
            entry.versions[version.version] = version
            entry.routes = {}

    def put_alias(self, alias: Alias) -> None:
        """A new alias or a moved one; call it right after the commit that moved it."""
        if entry := self._entries.get((alias.scope, alias.function)):
            entry.aliases[alias.name] = alias
            entry.routes = {}

    def drop_function(self, scope: Scope, name: str) -> None:
        """The function is deleted."""
        self._entries.pop((scope, name), None)

    def drop_version(self, scope: Scope, name: str, version: str) -> None:
        """The version is deleted."""
        if entry := self._entries.get((scope, name)):
            entry.versions.pop(version, None)
            entry.routes = {}

    def drop_alias(self, scope: Scope, function: str, name: str) -> None:
        """The alias is deleted."""
        if entry := self._entries.get((scope, function)):
            entry.aliases.pop(name, None)
            entry.routes = {}


def _add_route(entry: _Entry, qualifier: str) -> Route | None:
    route = _route(entry, qualifier)
    if route:
        entry.routes[qualifier] = route
    return route


def _route(entry: _Entry, qualifier: str) -> Route | None:
    reserved = entry.function.reserved_concurrency
    if version := entry.versions.get(qualifier):
        return Route(version, reserved_concurrency=reserved)
    alias = entry.aliases.get(qualifier)
    primary = entry.versions.get(alias.version) if alias else None
    if alias is None or primary is None:
        return None
    other, weight = next(iter(alias.weights.items()), (None, 0.0))
    additional = entry.versions.get(other) if other else None
    return Route(primary, additional, weight if additional else 0.0, alias.name, reserved)
