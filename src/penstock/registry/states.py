"""The life of a version as a table: what state and update status become when something happens to it.

Rule: only `loop.py` settles, only the use cases update; a pair that is not in the table cannot happen.
See https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from penstock.core.errors import ApiError
from penstock.registry.model import FunctionVersion, State, UpdateStatus
from penstock.registry.refusals import conflict

BUSY = "The operation cannot be performed at this time."
CREATING = ("The function is being created.", "Creating")
"""AWS gives this reason for updates too."""


class Happening(StrEnum):
    """What can happen to a version."""

    UPDATED = "updated"
    """New code or configuration was accepted."""
    SETTLED = "settled"
    """Its code is unpacked and verified."""
    DAMAGED = "damaged"
    """Its code package cannot be used."""


Stand = tuple[State, UpdateStatus | None]

TRANSITIONS: Mapping[tuple[Stand, Happening], Stand] = {
    ((State.PENDING, None), Happening.SETTLED): (State.ACTIVE, UpdateStatus.SUCCESSFUL),
    ((State.PENDING, None), Happening.DAMAGED): (State.FAILED, UpdateStatus.FAILED),
    ((State.ACTIVE, UpdateStatus.SUCCESSFUL), Happening.UPDATED): (State.ACTIVE, UpdateStatus.IN_PROGRESS),
    ((State.ACTIVE, UpdateStatus.IN_PROGRESS), Happening.SETTLED): (State.ACTIVE, UpdateStatus.SUCCESSFUL),
    ((State.ACTIVE, UpdateStatus.IN_PROGRESS), Happening.DAMAGED): (State.FAILED, UpdateStatus.FAILED),
    ((State.FAILED, UpdateStatus.FAILED), Happening.UPDATED): (State.PENDING, UpdateStatus.IN_PROGRESS),
    ((State.PENDING, UpdateStatus.IN_PROGRESS), Happening.SETTLED): (State.ACTIVE, UpdateStatus.SUCCESSFUL),
    ((State.PENDING, UpdateStatus.IN_PROGRESS), Happening.DAMAGED): (State.FAILED, UpdateStatus.FAILED),
}


def created(version: FunctionVersion) -> FunctionVersion:
    """The version at the start of its life."""
    reason, code = CREATING
    return replace(
        version,
        state=State.PENDING,
        state_reason=reason,
        state_reason_code=code,
        update_status=None,
        update_reason=None,
        update_reason_code=None,
    )


def after(version: FunctionVersion, happening: Happening, why: str | None = None) -> FunctionVersion:
    """The version after something happened; raises `KeyError` when the table has no such step."""
    state, update = TRANSITIONS[(version.state, version.update_status), happening]
    reason, code = (why, "InvalidZipFileException") if happening is Happening.DAMAGED else CREATING
    shown = {State.ACTIVE: (None, None), State.INACTIVE: (None, None)}.get(state, (reason, code))
    updating = (None, None) if update is UpdateStatus.SUCCESSFUL else (reason, code)
    return replace(
        version,
        state=state,
        state_reason=shown[0],
        state_reason_code=shown[1],
        update_status=update,
        update_reason=updating[0],
        update_reason_code=updating[1],
    )


def check_settled(version: FunctionVersion, unqualified_arn: str) -> None:
    """Raise AWS's 409 while something is in progress."""
    refusal = busy(version, unqualified_arn)
    if refusal:
        raise refusal


def busy(version: FunctionVersion, unqualified_arn: str) -> ApiError | None:
    """AWS's refusal while the version's creation or update is in progress, else None."""
    if version.update_status is UpdateStatus.IN_PROGRESS:
        return conflict(f"{BUSY} An update is in progress for resource: {unqualified_arn}")
    if version.state is State.PENDING:
        return conflict(f"{BUSY} The function is currently in the following state: {version.state}")
    return None
