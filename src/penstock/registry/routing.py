"""Where invokes go, in memory: every function's versions and aliases, ready to be asked on the hot path.

Rule: filled from the store at start and changed only after a commit, on the event loop, in the order of the commits.
A reader sees the routing before a change or after it, never half of it. One exception: an alias with provisioned
concurrency that is moved on to a newer version is *held* at its old route until execution has warmed the new one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.registry.model import LATEST, Alias, Function, FunctionVersion, ProvisionedConfig, Route


@dataclass(slots=True)
class _Entry:
    """One function. `routes` holds the answer for every qualifier asked so far; any change empties it."""

    function: Function
    versions: dict[str, FunctionVersion] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    provisioned: dict[str, ProvisionedConfig] = field(default_factory=dict)
    held: dict[str, Alias] = field(default_factory=dict)
    """Aliases as they still route, by name, while what they moved on to is being warmed."""


class Routes:
    """The routing table of all accounts and regions of one server."""

    def __init__(self) -> None:
        """Empty until `load`."""
        self._entries: dict[tuple[Scope, str], _Entry] = {}
        self._follower: Callable[[], None] = _nobody

    def load(
        self,
        functions: Iterable[Function],
        versions: Iterable[FunctionVersion],
        aliases: Iterable[Alias],
        provisioned: Iterable[ProvisionedConfig] = (),
    ) -> None:
        """Replace everything; versions come with their environment variables opened."""
        entries = {(function.scope, function.name): _Entry(function) for function in functions}
        for version in versions:
            entries[version.scope, version.name].versions[version.version] = version
        for alias in aliases:
            entries[alias.scope, alias.function].aliases[alias.name] = alias
        for config in provisioned:
            entries[config.scope, config.function].provisioned[config.qualifier] = config
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

    def follow(self, follower: Callable[[], None]) -> None:
        """Call `follower` whenever what is to be kept ready may have changed."""
        self._follower = follower

    def provisioned(self) -> list[tuple[ProvisionedConfig, Route]]:
        """What is to be kept ready, each with the route as it is declared, held or not."""
        found = []
        for entry in self._entries.values():
            for config in entry.provisioned.values():
                route = _route(entry, config.qualifier, entry.aliases)
                if route:
                    found.append((config, route))
        return found

    def held(self) -> list[Alias]:
        """Aliases, as declared, whose new version is not warm yet: they route as before."""
        return [entry.aliases[name] for entry in self._entries.values() for name in entry.held]

    def let_go(self, alias: Alias) -> None:
        """The alias routes as declared from now on, unless it has moved again meanwhile."""
        entry = self._entries.get((alias.scope, alias.function))
        if entry and entry.aliases.get(alias.name) == alias:
            entry.held.pop(alias.name, None)
            entry.routes = {}

    def serves(self, version: FunctionVersion) -> bool:
        """Whether invokes may be expected: `$LATEST`, a version behind an alias, or one of a function without any."""
        entry = self._entries.get((version.scope, version.name))
        if entry is None or version.version not in entry.versions:
            return False
        aliases = [*entry.aliases.values(), *entry.held.values()]
        named = {name for alias in aliases for name in (alias.version, *alias.weights)}
        return not aliases or version.version == LATEST or version.version in {*named, *entry.provisioned}

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
            if entry.provisioned:
                self._follower()

    def put_alias(self, alias: Alias) -> None:
        """A new alias or a moved one; call it right after the commit that moved it."""
        if entry := self._entries.get((alias.scope, alias.function)):
            now = entry.held.get(alias.name) or entry.aliases.get(alias.name)
            entry.held.pop(alias.name, None)
            if now and alias.name in entry.provisioned and is_advance(now, alias):
                entry.held[alias.name] = now
            entry.aliases[alias.name] = alias
            entry.routes = {}
            if entry.provisioned:
                self._follower()

    def put_provisioned(self, config: ProvisionedConfig) -> None:
        """Provisioned concurrency was set."""
        if entry := self._entries.get((config.scope, config.function)):
            entry.provisioned[config.qualifier] = config
            self._follower()

    def drop_provisioned(self, scope: Scope, function: str, qualifier: str) -> None:
        """Provisioned concurrency was removed; an alias that was held is let go."""
        if entry := self._entries.get((scope, function)):
            entry.provisioned.pop(qualifier, None)
            entry.held.pop(qualifier, None)
            entry.routes = {}
            self._follower()

    def drop_function(self, scope: Scope, name: str) -> None:
        """The function is deleted."""
        self._entries.pop((scope, name), None)

    def drop_version(self, scope: Scope, name: str, version: str) -> None:
        """The version is deleted."""
        if entry := self._entries.get((scope, name)):
            entry.versions.pop(version, None)
            entry.held = {name: was for name, was in entry.held.items() if version not in (was.version, *was.weights)}
            entry.routes = {}

    def drop_alias(self, scope: Scope, function: str, name: str) -> None:
        """The alias is deleted."""
        if entry := self._entries.get((scope, function)):
            entry.aliases.pop(name, None)
            entry.held.pop(name, None)
            entry.routes = {}


def _nobody() -> None:
    """Follows nothing."""


def is_advance(before: Alias, after: Alias) -> bool:
    """Whether `after` sends traffic to a version newer than all that `before` sent it to.

    Going back is no advance: a rollback never waits for anything to get warm.
    """
    served = [_number(name) for name in (before.version, *before.weights)]
    return any(_number(name) > max(served) for name in (after.version, *after.weights))


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0


def _add_route(entry: _Entry, qualifier: str) -> Route | None:
    route = _route(entry, qualifier, entry.aliases | entry.held)
    if route:
        entry.routes[qualifier] = route
    return route


def _route(entry: _Entry, qualifier: str, aliases: Mapping[str, Alias]) -> Route | None:
    reserved = entry.function.reserved_concurrency
    if version := entry.versions.get(qualifier):
        return Route(version, reserved_concurrency=reserved)
    alias = aliases.get(qualifier)
    primary = entry.versions.get(alias.version) if alias else None
    if alias is None or primary is None:
        return None
    other, weight = next(iter(alias.weights.items()), (None, 0.0))
    additional = entry.versions.get(other) if other else None
    return Route(primary, additional, weight if additional else 0.0, alias.name, reserved)
