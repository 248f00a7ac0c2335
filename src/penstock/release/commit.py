"""Carries a decision out: deployment, alias and marker in one transaction, or none of them.

Rule: everything here runs on the caller's transaction and is guarded twice, by the deployment's revision and by the
alias's; whoever lost a race gets an error and nothing of his decision remains.
"""

from dataclasses import dataclass, replace

from penstock.core.dice import Dice, new_code, new_uuid
from penstock.registry.aliases import set_route
from penstock.registry.model import Alias
from penstock.release.markers.recorder import Markers
from penstock.release.model import Deployment
from penstock.release.outcome import Decision
from penstock.release.records import insert_deployment, save_deployment
from penstock.release.rollback_of import rollback_of
from penstock.store.database import Connection


@dataclass(frozen=True, slots=True)
class Committed:
    """What the transaction left, for the steps after it."""

    deployment: Deployment
    alias: Alias | None = None
    """The alias if it was moved: to be put into the routing table."""
    rollback: Deployment | None = None


def new_deployment_id(dice: Dice) -> str:
    """An id as CodeDeploy makes them, `d-9XYZ12ABC`."""
    return f"d-{new_code(dice, 9)}"


def commit(
    connection: Connection, decision: Decision, seen_alias: Alias | None, markers: Markers, now: float
) -> Committed:
    """Write the decision. Raises `StaleDeploymentError` or `registry.aliases.AliasMovedError` when it came too late."""
    deployment, alias, rollback = decision.deployment, None, None
    if decision.weights is not None:
        alias = set_route(
            connection,
            scope=deployment.scope,
            function=deployment.target.function,
            alias=deployment.target.alias,
            version=decision.weights.version,
            weights=decision.weights.additional,
            expected_revision_id=seen_alias.revision_id if seen_alias else None,
            revision_id=new_uuid(markers.dice),
        )
        deployment = replace(deployment, alias_revision=alias.revision_id)
    if decision.rolls_back:
        ids = new_deployment_id(markers.dice), new_uuid(markers.dice)
        deployment, rollback = rollback_of(deployment, *ids, now)
    saved = save_deployment(connection, deployment)
    markers.follow(connection, saved)
    if rollback is not None:
        marker = markers.open(connection, rollback, undone=saved)
        insert_deployment(connection, replace(rollback, marker_id=marker.id))
    return Committed(saved, alias, rollback)
