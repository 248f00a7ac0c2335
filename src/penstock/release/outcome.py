"""What a tick decided, as a value. Rule: everything that must be one truth is in one `Decision`.

The marker is not here: it follows from the deployment (`markers.following`), so the two cannot disagree.
"""

from dataclasses import dataclass

from penstock.release.model import Deployment, EventName, Weights


@dataclass(frozen=True, slots=True)
class InvokeHook:
    """After the commit, invoke this function. It may be invoked again after a crash, always with the same id."""

    deployment_id: str
    event: EventName
    function: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The deployment as it is to be from now on, and what must happen together with it."""

    deployment: Deployment
    weights: Weights | None = None
    """To be written to the alias in the same transaction."""
    creates_alias: bool = False
    rolls_back: bool = False
    """Record a rollback deployment in the same transaction; `weights` takes the alias back if it ever left."""
    effects: tuple[InvokeHook, ...] = ()
    reason: str = ""
    """One line for the server's log."""

    def changes(self, before: Deployment) -> bool:
        """Whether there is anything to write."""
        return self.deployment != before
