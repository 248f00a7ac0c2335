"""Which version of an alias is known to be good, derived from its markers alone. Pure.

Rule: a version is good when a deployment to it succeeded, or when it had all the traffic until something newer took
over without being taken back. A version that carried traffic and was rolled back from is bad, and stays bad: versions
never change.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from penstock.registry.model import Alias
from penstock.release.markers.model import DEPLOYMENT, Marker, MarkerStatus


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the markers of one alias say about its versions."""

    good: tuple[str, ...]
    """Most recently proven last; none of them is bad."""
    bad: frozenset[str]


def verdicts(history: Iterable[Marker]) -> Verdicts:
    """Read the markers of one alias, oldest first."""
    good: dict[str, None] = {}
    bad: set[str] = set()
    for marker in history:
        for version in _proven(marker):
            good.pop(version, None)
            good[version] = None
        if marker.rollback and marker.previous_version and marker.detail.get("carried_traffic", True):
            bad.add(marker.previous_version)
    return Verdicts(tuple(version for version in good if version not in bad), frozenset(bad))


def last_known_good(alias: Alias, history: Iterable[Marker], exists: Callable[[str], bool]) -> str | None:
    """Where a rollback of the alias should go, or None.

    While two versions share the traffic the older road is still open: it is the alias's own primary version.
    """
    known = verdicts(history)
    if alias.weights and alias.version not in known.bad:
        return alias.version
    candidates = [version for version in known.good if version != alias.version and exists(version)]
    return candidates[-1] if candidates else None


def _proven(marker: Marker) -> list[str]:
    """The versions that this marker proves good, the best proven last."""
    if marker.rollback:
        return []
    previous, target = marker.previous_version, marker.target_version
    if marker.kind == DEPLOYMENT and marker.status is MarkerStatus.SUCCESS:
        return [version for version in (previous, target) if version]
    if marker.kind == "alias-moved" and previous and _is_newer(target, previous):
        return [previous]
    return []


def _is_newer(target: str | None, previous: str) -> bool:
    """Moving back to an older version by hand is a rollback in all but name: it proves nothing about the newer one."""
    return target is not None and target.isdigit() and previous.isdigit() and int(target) > int(previous)
