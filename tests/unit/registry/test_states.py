"""The state table, pair by pair, and the 409 that goes with each state."""

import itertools
from dataclasses import replace

import pytest

from penstock.registry.model import FunctionVersion, State, UpdateStatus
from penstock.registry.states import TRANSITIONS, Happening, after, busy, created

STANDS = list(itertools.product(State, [None, *UpdateStatus]))


def version_in(scope, state, update) -> FunctionVersion:
    version = FunctionVersion(scope, "orders", "$LATEST", "python3.12", "a.h", "role", "sha", 1, "rev", 0.0)
    return replace(version, state=state, update_status=update)


@pytest.mark.parametrize(("stand", "happening"), list(itertools.product(STANDS, Happening)))
def test_every_pair(scope, stand, happening) -> None:
    version = version_in(scope, *stand)
    expected = TRANSITIONS.get((stand, happening))
    if expected is None:
        with pytest.raises(KeyError):
            after(version, happening)
        return
    became = after(version, happening, "why")
    assert (became.state, became.update_status) == expected
    assert became.is_settled is (happening is not Happening.UPDATED)
    if became.state is State.ACTIVE and became.update_status is UpdateStatus.SUCCESSFUL:
        assert became.state_reason is became.update_reason is became.state_reason_code is None
    else:
        assert became.update_reason


def test_everything_in_progress_ends_and_everything_settled_can_be_updated() -> None:
    reached = {(State.PENDING, None), *TRANSITIONS.values()}
    for stand in reached:
        ways = {happening for (source, happening) in TRANSITIONS if source == stand}
        in_progress = stand[0] is State.PENDING or stand[1] is UpdateStatus.IN_PROGRESS
        assert ways == ({Happening.SETTLED, Happening.DAMAGED} if in_progress else {Happening.UPDATED}), stand


@pytest.mark.parametrize(
    ("state", "update", "says"),
    [
        (State.PENDING, None, "currently in the following state: Pending"),
        (State.ACTIVE, UpdateStatus.IN_PROGRESS, "An update is in progress for resource: arn:x"),
        (State.PENDING, UpdateStatus.IN_PROGRESS, "An update is in progress for resource: arn:x"),
        (State.ACTIVE, UpdateStatus.SUCCESSFUL, None),
        (State.FAILED, UpdateStatus.FAILED, None),
    ],
)
def test_what_is_in_progress_refuses(scope, state, update, says) -> None:
    refusal = busy(version_in(scope, state, update), "arn:x")
    assert (refusal and refusal.message.startswith("The operation cannot be performed at this time. ")) or not says
    assert (says in refusal.message and refusal.code == "ResourceConflictException") if says else refusal is None


def test_a_life_begins_pending(scope) -> None:
    version = created(version_in(scope, State.ACTIVE, UpdateStatus.SUCCESSFUL))
    assert (version.state, version.update_status) == (State.PENDING, None)
    assert not version.is_settled
