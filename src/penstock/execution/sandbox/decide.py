"""From facts and the operator's demand to a level. Rule: pure; every level below full says what is missing."""

from penstock.core.errors import StartupError
from penstock.execution.sandbox.model import Demand, Facts, Isolation, Level

TRUST = "Function code runs as the server's own user and is contained by resource limits only: run code you trust."


def decide(demand: Demand, facts: Facts) -> Isolation:
    """The level to run at; raises `StartupError` when full isolation is demanded and cannot be had."""
    missing = tuple(words for words in (facts.cells_missing, facts.cgroups_missing) if words)
    if demand is Demand.PROCESS:
        return Isolation(Level.PROCESS, "processes with resource limits, as asked for", missing, warning=TRUST)
    if not missing:
        return _full(facts)
    if demand is Demand.REQUIRED:
        raise StartupError(
            f"full isolation is required and this machine does not give it: {'; '.join(missing)}. "
            "Change that, or start with --isolation auto to run with less."
        )
    why = "; ".join(missing)
    return Isolation(
        Level.PROCESS,
        f"processes with resource limits ({why})",
        missing,
        warning=f"{TRUST} Full isolation lacks: {why}.",
    )


def _full(facts: Facts) -> Isolation:
    road = "as root" if facts.root else "through user namespaces"
    words = f"own namespaces, read-only root, seccomp, cgroup {facts.cgroups} limits, {road}"
    warning = ""
    if facts.no_way_out:
        warning = f"Functions reach Penstock but not the network outside: {facts.no_way_out}."
        words += "; no network outside"
    return Isolation(Level.FULL, words, unprivileged=not facts.root, warning=warning)
