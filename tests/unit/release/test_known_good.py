"""The last known good version, from the history of an alias alone: tables of pasts."""

from dataclasses import replace

import pytest

from penstock.release.markers.known_good import last_known_good, verdicts
from penstock.release.markers.model import Marker, MarkerStatus
from release.samples import SCOPE, alias


def mark(kind: str, target: str | None, previous: str | None = None, **changes) -> Marker:
    known = Marker(
        SCOPE,
        f"{kind}-{target}",
        "lambda/orders",
        kind,
        MarkerStatus.SUCCESS,
        0.0,
        "ann",
        alias="live",
        target_version=target,
        previous_version=previous,
    )
    return replace(known, **changes)


def created(version: str) -> Marker:
    return mark("alias-created", version)


def deployed(target: str, previous: str | None, status=MarkerStatus.SUCCESS) -> Marker:
    return mark("deployment", target, previous, status=status)


def failed(target: str, previous: str, *, carried: bool = True) -> list[Marker]:
    """A deployment that went wrong and its rollback."""
    back = mark("rollback", previous, target, rollback=True, detail={"carried_traffic": carried})
    return [deployed(target, previous, MarkerStatus.FAILED), back]


PASTS = {
    "nothing known": ([], alias("1"), None),
    "only ever one version": ([created("1")], alias("1"), None),
    "a healthy release": ([created("1"), deployed("2", "1")], alias("2"), "1"),
    "two healthy releases": ([created("1"), deployed("2", "1"), deployed("3", "2")], alias("3"), "2"),
    "a bad release taken back": ([created("1"), deployed("2", "1"), *failed("3", "2")], alias("2"), "1"),
    "bad, then good": ([created("1"), *failed("2", "1"), deployed("3", "1")], alias("3"), "1"),
    "the bad one forced in by hand": (
        [created("1"), *failed("2", "1"), mark("alias-moved", "2", "1")],
        alias("2"),
        "1",
    ),
    "moved up by hand": ([created("1"), mark("alias-moved", "2", "1")], alias("2"), "1"),
    "moved up and down by hand": (
        [created("1"), mark("alias-moved", "2", "1"), mark("alias-moved", "1", "2")],
        alias("1"),
        None,
    ),
    "rolled back by hand from a good one": (
        [created("1"), deployed("2", "1"), mark("rollback", "1", "2", rollback=True)],
        alias("1"),
        None,
    ),
    "a hook said no before any traffic: an earlier verdict stands": (
        [created("1"), deployed("2", "1"), deployed("3", "2"), deployed("2", "3"), *failed("3", "2", carried=False)],
        alias("2"),
        "3",
    ),
    "half way by hand": ([created("1"), mark("weights-shifted", "1", "1")], alias("1", v2=0.1), "1"),
    "half way by hand, from a bad one": (
        [created("1"), deployed("2", "1"), mark("rollback", "1", "2", rollback=True)],
        alias("2", v3=0.5),
        "1",
    ),
    "still running": ([created("1"), deployed("2", "1", MarkerStatus.RUNNING)], alias("1", v2=0.1), "1"),
    "called off": ([created("1"), deployed("2", "1", MarkerStatus.CANCELED)], alias("2"), None),
}


@pytest.mark.parametrize(("history", "now", "good"), PASTS.values(), ids=PASTS)
def test_where_a_rollback_goes(history, now, good) -> None:
    assert last_known_good(now, history, lambda _: True) == good


def test_a_version_that_was_deleted_is_passed_over() -> None:
    history = [created("1"), deployed("2", "1"), deployed("3", "2")]
    assert last_known_good(alias("3"), history, lambda version: version != "2") == "1"


def test_a_bad_version_stays_bad_even_when_deployed_again() -> None:
    history = [created("1"), *failed("2", "1"), deployed("2", "1"), deployed("3", "2")]
    assert verdicts(history).bad == {"2"}
    assert last_known_good(alias("3"), history, lambda _: True) == "1"
