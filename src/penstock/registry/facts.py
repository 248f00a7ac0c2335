"""What the registry says on the bus after a commit. Rule: a hint to look again, never the only news of something."""

from dataclasses import dataclass

from penstock.core.context import Scope


@dataclass(frozen=True, slots=True)
class FunctionChanged:
    """Code, configuration, state, versions, aliases or concurrency of a function are new; environments may be stale."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class FunctionDeleted:
    """The function is gone with all its versions and aliases."""

    scope: Scope
    name: str
