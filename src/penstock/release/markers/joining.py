"""How a hand-written plan and the real change that follows it become one line of the timeline. Pure.

Rule: the real change says when, what and who; the plan adds its name, environment and why. A change joins the newest
open plan of its component that does not speak of another version.
"""

from collections.abc import Iterable
from dataclasses import replace

from penstock.release.markers.model import DEPLOYMENT, Marker

RELEASES = frozenset(
    {DEPLOYMENT, "alias-moved", "alias-created", "weights-shifted", "layer-published", "stack-updated"}
)
"""The changes that carry a plan out. What prepares a release (new code, a new version) leaves the plan open for it."""


def plan_for(change: Marker, open_markers: Iterable[Marker]) -> Marker | None:
    """The plan that `change` carries out; `open_markers` come newest first."""
    if change.kind not in RELEASES:
        return None
    plans = [marker for marker in open_markers if marker.planned_at is not None and not marker.joined]
    fitting = [plan for plan in plans if plan.component == change.component and _same_version(plan, change)]
    same_place = [plan for plan in fitting if plan.environment == change.environment]
    return next(iter((*same_place, *fitting)), None)


def joined(plan: Marker, change: Marker) -> Marker:
    """The plan's marker, carried out."""
    detail = dict(change.detail)
    if plan.target_version not in (None, change.target_version):
        detail["planned_version"] = plan.target_version
    return replace(
        change,
        id=plan.id,
        name=plan.name,
        namespace=plan.namespace,
        environment=plan.environment or change.environment,
        reason=plan.reason or change.reason,
        planned_at=plan.planned_at,
        planned_by=plan.planned_by,
        rollback=plan.rollback or change.rollback,
        joined=True,
        detail={**plan.detail, **detail},
    )


def _same_version(plan: Marker, change: Marker) -> bool:
    """Pipelines name versions their own way (a tag, a commit): only another Lambda version number contradicts."""
    named = plan.target_version
    return named is None or not named.isdigit() or named == change.target_version
