"""From facts and a demand to a level."""

import pytest

from penstock.core.errors import StartupError
from penstock.execution.sandbox.decide import decide
from penstock.execution.sandbox.model import Demand, Facts, Level

EVERYTHING = Facts(root=True, cgroups="v2")
NO_GROUPS = Facts(root=False, cgroups_missing="cgroup controllers to write to")
NO_CELLS = Facts(root=True, cgroups="v1", cells_missing="cells, which this machine refuses: clone")


@pytest.mark.parametrize(
    ("demand", "facts", "level"),
    [
        (Demand.AUTO, EVERYTHING, Level.FULL),
        (Demand.REQUIRED, EVERYTHING, Level.FULL),
        (Demand.PROCESS, EVERYTHING, Level.PROCESS),
        (Demand.AUTO, NO_GROUPS, Level.PROCESS),
        (Demand.AUTO, NO_CELLS, Level.PROCESS),
        (Demand.PROCESS, NO_CELLS, Level.PROCESS),
    ],
)
def test_the_strongest_that_is_wanted_and_possible(demand, facts, level):
    found = decide(demand, facts)
    assert found.level is level
    assert bool(found.warning) is (level is Level.PROCESS)


@pytest.mark.parametrize("facts", [NO_GROUPS, NO_CELLS])
def test_required_refuses_with_what_is_missing(facts):
    with pytest.raises(StartupError, match=facts.cgroups_missing or facts.cells_missing):
        decide(Demand.REQUIRED, facts)


def test_less_than_full_says_why():
    assert "cgroup controllers" in decide(Demand.AUTO, NO_GROUPS).warning


def test_a_road_and_a_missing_way_out_are_told():
    found = decide(Demand.AUTO, Facts(root=False, cgroups="v1", no_way_out="no nf_tables"))
    assert found.unprivileged
    assert "user namespaces" in found.words
    assert "no nf_tables" in found.warning
