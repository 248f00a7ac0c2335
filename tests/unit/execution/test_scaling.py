"""The scale-out rate: a thousand at once, a hundred a second after that, and never more than a thousand saved up."""

import pytest

from penstock.execution.scaling import draw


def drawn(times):
    """How many of one draw at each of these instants were allowed."""
    bucket, count = None, 0
    for now in times:
        bucket, allowed = draw(bucket, now)
        count += allowed
    return count


@pytest.mark.parametrize(
    ("name", "times", "allowed"),
    [
        ("all at once", [0.0] * 1500, 1000),
        ("ten seconds bring another thousand", [0.0] * 1000 + [10.0] * 1500, 2000),
        ("one second brings a hundred", [0.0] * 1000 + [1.0] * 500, 1100),
        ("unused parts do not add up", [0.0] * 10 + [1000.0] * 1500, 1010),
        ("a steady hundred a second is never refused", [n / 100 for n in range(5000)], 5000),
    ],
)
def test_draws(name, times, allowed) -> None:
    assert drawn(times) == allowed, name
