"""What deployments are made from: applications, deployment groups, deployment configurations. Values only."""

from dataclasses import dataclass

from penstock.core.arns import arn
from penstock.core.context import Scope
from penstock.release.model import AlarmRules, RollbackRules
from penstock.release.plan import ALL_AT_ONCE, TrafficPlan

LAMBDA = "Lambda"
MOST_ALARMS = 10
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Application:
    """A name under which groups live."""

    scope: Scope
    name: str
    id: str
    created_at: float

    @property
    def arn(self) -> str:
        """As tags name it."""
        return arn("codedeploy", self.scope, f"application:{self.name}")


@dataclass(frozen=True, slots=True)
class Group:
    """How deployments of one kind are done: configuration, alarms, rollback."""

    scope: Scope
    application: str
    name: str
    id: str
    service_role: str
    config: str = ALL_AT_ONCE
    alarms: AlarmRules | None = None
    """None when none were ever given, which the API tells apart from switched off."""
    rollback: RollbackRules | None = None
    outdated_instances_strategy: str | None = None

    @property
    def arn(self) -> str:
        """As tags name it."""
        return arn("codedeploy", self.scope, f"deploymentgroup:{self.application}/{self.name}")


@dataclass(frozen=True, slots=True)
class Config:
    """A named traffic plan."""

    scope: Scope
    name: str
    id: str
    created_at: float
    plan: TrafficPlan

    @property
    def arn(self) -> str:
        """As tags name it."""
        return arn("codedeploy", self.scope, f"deploymentconfig:{self.name}")
