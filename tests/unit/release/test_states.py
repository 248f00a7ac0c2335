"""The state machines: every pair of states is either in the table or refused."""

from dataclasses import replace
from itertools import product

import pytest

from penstock.release.model import DeploymentStatus, EventName, EventStatus, LifecycleEvent
from penstock.release.states import DEPLOYMENT_MOVES, EVENT_MOVES, IllegalMoveError, moved_deployment, moved_event
from release.samples import deployment


@pytest.mark.parametrize(("old", "new"), list(product(DeploymentStatus, repeat=2)))
def test_every_pair_of_deployment_states(old: DeploymentStatus, new: DeploymentStatus) -> None:
    start = replace(deployment(), status=old)
    if new in DEPLOYMENT_MOVES[old]:
        assert moved_deployment(start, new).status is new
    else:
        with pytest.raises(IllegalMoveError, match=start.id):
            moved_deployment(start, new)


@pytest.mark.parametrize(("old", "new"), list(product(EventStatus, repeat=2)))
def test_every_pair_of_event_states(old: EventStatus, new: EventStatus) -> None:
    start = LifecycleEvent(EventName.ALLOW_TRAFFIC, old)
    if new in EVENT_MOVES[old]:
        moved = moved_event(start, new, 5.0)
        assert moved.status is new
        assert moved.started_at == (None if new is EventStatus.SKIPPED else 5.0)
        assert (moved.ended_at is None) == (new is EventStatus.IN_PROGRESS)
    else:
        with pytest.raises(IllegalMoveError, match="AllowTraffic"):
            moved_event(start, new, 5.0)


@pytest.mark.parametrize("status", [s for s in DeploymentStatus if not DEPLOYMENT_MOVES[s]])
def test_a_finished_deployment_is_not_active(status: DeploymentStatus) -> None:
    assert not replace(deployment(), status=status).is_active


def test_the_tables_know_every_state() -> None:
    assert set(DEPLOYMENT_MOVES) == set(DeploymentStatus)
    assert set(EVENT_MOVES) == set(EventStatus)
