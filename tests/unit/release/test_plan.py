"""Traffic plans: AWS's names, the weights of every step, and the limits of custom ones."""

import pytest

from penstock.release.plan import PREDEFINED, Routing, TrafficPlan


@pytest.mark.parametrize(
    ("name", "first", "steps", "minutes"),
    [
        ("LambdaAllAtOnce", 100.0, 1, 0),
        ("LambdaCanary10Percent5Minutes", 10.0, 2, 5),
        ("LambdaCanary10Percent10Minutes", 10.0, 2, 10),
        ("LambdaCanary10Percent15Minutes", 10.0, 2, 15),
        ("LambdaCanary10Percent30Minutes", 10.0, 2, 30),
        ("LambdaLinear10PercentEvery1Minute", 10.0, 10, 9),
        ("LambdaLinear10PercentEvery2Minutes", 10.0, 10, 18),
        ("LambdaLinear10PercentEvery3Minutes", 10.0, 10, 27),
        ("LambdaLinear10PercentEvery10Minutes", 10.0, 10, 90),
    ],
)
def test_predefined_plans(name: str, first: float, steps: int, minutes: int) -> None:
    plan = PREDEFINED[f"CodeDeployDefault.{name}"].steps()
    assert (plan[0].percent, len(plan)) == (first, steps)
    assert sum(step.wait_s for step in plan) == minutes * 60
    assert (plan[-1].percent, plan[-1].wait_s) == (100.0, 0.0)


def test_there_are_no_other_predefined_plans() -> None:
    assert len(PREDEFINED) == 9


@pytest.mark.parametrize(
    ("percent", "shares"),
    [(30, [30, 60, 90, 100]), (50, [50, 100]), (99, [99, 100]), (1, list(range(1, 101))), (33, [33, 66, 99, 100])],
)
def test_linear_shares_grow_evenly_and_end_at_everything(percent: int, shares: list[int]) -> None:
    steps = TrafficPlan(Routing.LINEAR, percent, 1).steps()
    assert [step.percent for step in steps] == shares
    assert [step.wait_s for step in steps] == [60.0] * (len(shares) - 1) + [0.0]


@pytest.mark.parametrize(
    ("plan", "refused"),
    [
        (TrafficPlan(Routing.CANARY, 0, 5), "percentage"),
        (TrafficPlan(Routing.CANARY, 100, 5), "percentage"),
        (TrafficPlan(Routing.LINEAR, 10, 0), "interval"),
        (TrafficPlan(Routing.LINEAR, 10, 2881), "interval"),
        (TrafficPlan(Routing.LINEAR, 10, 2880), None),
        (TrafficPlan(Routing.ALL_AT_ONCE), None),
    ],
)
def test_limits_of_custom_plans(plan: TrafficPlan, refused: str | None) -> None:
    fault = plan.fault()
    assert (fault is None) if refused is None else (refused in (fault or ""))
