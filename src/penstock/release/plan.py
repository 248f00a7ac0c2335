"""Traffic plans: how much of the traffic the new version gets, and how long each share is watched.

Pure. Rule: the last step is always 100 %, and a step's wait counts from when it was really carried out, so a server
that was down never skips the watching.
See https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

PREFIX = "CodeDeployDefault."
LONGEST_INTERVAL_MIN = 2880
"""Two days: CodeDeploy's limit between two traffic shifts of a Lambda deployment."""


class Routing(StrEnum):
    """CodeDeploy's `TrafficRoutingType`."""

    CANARY = "TimeBasedCanary"
    LINEAR = "TimeBasedLinear"
    ALL_AT_ONCE = "AllAtOnce"


@dataclass(frozen=True, slots=True)
class Step:
    """Give the new version `percent` of the traffic, then wait."""

    percent: float
    wait_s: float


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """A way to shift traffic. `percent` and `interval_min` mean nothing for ALL_AT_ONCE."""

    routing: Routing
    percent: int = 100
    interval_min: int = 0

    def steps(self) -> tuple[Step, ...]:
        """All steps in order; the last gives everything and waits for nothing."""
        wait_s = self.interval_min * 60.0
        if self.routing is Routing.CANARY:
            return Step(float(self.percent), wait_s), Step(100.0, 0.0)
        if self.routing is Routing.LINEAR:
            shares = range(self.percent, 100, self.percent)
            return (*(Step(float(share), wait_s) for share in shares), Step(100.0, 0.0))
        return (Step(100.0, 0.0),)

    def fault(self) -> str | None:
        """Why CodeDeploy would refuse this plan, or None."""
        if self.routing is Routing.ALL_AT_ONCE:
            return None
        if not 1 <= self.percent <= 99:
            return f"the percentage must be between 1 and 99, not {self.percent}"
        if not 1 <= self.interval_min <= LONGEST_INTERVAL_MIN:
            return f"the interval must be between 1 and {LONGEST_INTERVAL_MIN} minutes, not {self.interval_min}"
        return None


ALL_AT_ONCE = f"{PREFIX}LambdaAllAtOnce"

PREDEFINED: Mapping[str, TrafficPlan] = MappingProxyType(
    {
        ALL_AT_ONCE: TrafficPlan(Routing.ALL_AT_ONCE),
        f"{PREFIX}LambdaCanary10Percent5Minutes": TrafficPlan(Routing.CANARY, 10, 5),
        f"{PREFIX}LambdaCanary10Percent10Minutes": TrafficPlan(Routing.CANARY, 10, 10),
        f"{PREFIX}LambdaCanary10Percent15Minutes": TrafficPlan(Routing.CANARY, 10, 15),
        f"{PREFIX}LambdaCanary10Percent30Minutes": TrafficPlan(Routing.CANARY, 10, 30),
        f"{PREFIX}LambdaLinear10PercentEvery1Minute": TrafficPlan(Routing.LINEAR, 10, 1),
        f"{PREFIX}LambdaLinear10PercentEvery2Minutes": TrafficPlan(Routing.LINEAR, 10, 2),
        f"{PREFIX}LambdaLinear10PercentEvery3Minutes": TrafficPlan(Routing.LINEAR, 10, 3),
        f"{PREFIX}LambdaLinear10PercentEvery10Minutes": TrafficPlan(Routing.LINEAR, 10, 10),
    }
)
"""Names exactly as AWS has them: the one-minute plan is singular, the others are not."""
