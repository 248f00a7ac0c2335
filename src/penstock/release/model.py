"""What a deployment is: one alias of one function on its way from one version to another.

Values only. Rule: a deployment carries everything that decides its course (plan, alarms, rollback rules) as it was
when it was created, so that editing its group later never changes a deployment under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.release.plan import TrafficPlan

HOOK_TIMEOUT_S = 3600.0
"""CodeDeploy waits one hour for a hook's report: userguide/reference-appspec-file-structure-hooks."""


class DeploymentStatus(StrEnum):
    """CodeDeploy's words for a deployment as a whole."""

    CREATED = "Created"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    READY = "Ready"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"


class EventStatus(StrEnum):
    """CodeDeploy's words for one lifecycle event."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"


class EventName(StrEnum):
    """The lifecycle of a Lambda deployment, in this order."""

    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    ALLOW_TRAFFIC = "AllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"


class Creator(StrEnum):
    """Who made a deployment, as CodeDeploy tells it."""

    USER = "user"
    ROLLBACK = "codeDeployRollback"


class RollbackEvent(StrEnum):
    """What may cause an automatic rollback."""

    FAILURE = "DEPLOYMENT_FAILURE"
    ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


class ErrorCode(StrEnum):
    """The members of CodeDeploy's `ErrorCode` that a Lambda deployment ends with."""

    ALARM_ACTIVE = "ALARM_ACTIVE"
    ALARM_UNREADABLE = "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND"
    HOOK_FAILED = "HOOK_EXECUTION_FAILURE"
    HOOK_TIMED_OUT = "TIMEOUT"
    LAMBDA_CONFIGURATION = "INVALID_LAMBDA_CONFIGURATION"
    LAMBDA_FUNCTION = "INVALID_LAMBDA_FUNCTION"
    MANUAL_STOP = "MANUAL_STOP"


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """Which alarms stop a deployment. A maximum of 10."""

    names: tuple[str, ...] = ()
    enabled: bool = False
    ignore_unreadable: bool = False
    """`ignorePollAlarmFailure`: go on when an alarm's state cannot be had."""

    @property
    def watched(self) -> tuple[str, ...]:
        """The alarms that count: none when the rules are switched off."""
        return self.names if self.enabled else ()


@dataclass(frozen=True, slots=True)
class RollbackRules:
    """When a deployment that did not succeed is taken back by itself."""

    enabled: bool = False
    events: tuple[RollbackEvent, ...] = ()

    def covers(self, event: RollbackEvent) -> bool:
        """Whether `event` causes a rollback."""
        return self.enabled and event in self.events


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """One lifecycle event; `hook` is the function that validates it, if any.

    `execution_id` is drawn when the deployment is created and names every invoke of the hook, also one repeated
    after a crash, so that a report always finds its event.
    """

    name: EventName
    status: EventStatus = EventStatus.PENDING
    hook: str | None = None
    execution_id: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    reported: EventStatus | None = None
    """What the hook told through PutLifecycleEventHookExecutionStatus."""
    invoked: bool = False
    """The hook's invoke ended without an error: it needs no second one, only its report is awaited."""
    broken: str | None = None
    """Why the hook's invoke failed, in words."""
    retry_at: float | None = None
    """A throttled invoke is tried again at this business time."""
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """A weight that was really written to the alias."""

    at: float
    percent: float
    """The target version's share, 0 to 100."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """StopDeployment, recorded; the next tick carries it out."""

    at: float
    by: str
    rollback: bool | None
    """`autoRollbackEnabled`; None leaves it to the deployment's rollback rules."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackInfo:
    """CodeDeploy's `rollbackInfo`, on both sides of a rollback."""

    deployment_id: str | None = None
    triggering_deployment_id: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorInformation:
    """Why a deployment did not succeed."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is moved: an alias, from one version to another."""

    function: str
    alias: str
    version: str
    current: str | None
    """None for a first deployment: there is no alias yet, and nothing to go back to."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The AppSpec as it was handed in."""

    kind: str
    """`AppSpecContent` or `String`."""
    content: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment, whole. `revision` counts its changes and guards every write."""

    scope: Scope
    id: str
    application: str
    group: str
    group_id: str
    config: str
    target: Target
    plan: TrafficPlan
    appspec: Revision
    created_at: float
    by: str
    """The caller's ARN."""
    marker_id: str
    creator: Creator = Creator.USER
    description: str | None = None
    status: DeploymentStatus = DeploymentStatus.CREATED
    revision: int = 0
    events: tuple[LifecycleEvent, ...] = ()
    step: int = 0
    """How many steps of the plan were carried out."""
    shifts: tuple[Shift, ...] = ()
    next_shift_at: float | None = None
    alias_revision: str | None = None
    """The alias as this deployment last saw or wrote it; any other revision means someone else moved it."""
    alarms: AlarmRules = field(default_factory=AlarmRules)
    alarms_overridden: bool = False
    rollback: RollbackRules = field(default_factory=RollbackRules)
    started_at: float | None = None
    completed_at: float | None = None
    updated_at: float = 0.0
    stop: StopRequest | None = None
    error: ErrorInformation | None = None
    rollback_info: RollbackInfo | None = None
    previous_appspec: Revision | None = None

    @property
    def is_active(self) -> bool:
        """Whether it may still move the alias."""
        return self.status in (DeploymentStatus.CREATED, DeploymentStatus.QUEUED, DeploymentStatus.IN_PROGRESS)

    @property
    def percent(self) -> float:
        """The target version's share now, 0 to 100."""
        return self.shifts[-1].percent if self.shifts else 0.0

    @property
    def current_event(self) -> LifecycleEvent | None:
        """The lifecycle event in progress."""
        return next((event for event in self.events if event.status is EventStatus.IN_PROGRESS), None)

    @property
    def target_arn(self) -> str:
        """The alias's ARN."""
        return function_arn(self.scope, self.target.function, self.target.alias)

    @property
    def target_id(self) -> str:
        """`orders:live`, what CodeDeploy calls the deployment target."""
        return f"{self.target.function}:{self.target.alias}"


@dataclass(frozen=True, slots=True)
class Weights:
    """What an alias is to be: `version` takes what `additional` leaves."""

    version: str
    additional: Mapping[str, float] = field(default_factory=dict)
    """Shares 0.0 to 1.0, as in `AdditionalVersionWeights`."""
