"""What an alarm is: what it watches, its rule, its state. Rule: values only.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from penstock.core.arns import arn
from penstock.core.context import Scope
from penstock.observe.ports import Dimensions

NO_TAGS: Mapping[str, str] = MappingProxyType({})
CREATED_REASON = "Unchecked: Initial alarm creation"


class AlarmState(StrEnum):
    """The three states."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """What stands in for a period without samples."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """How a value is compared with the threshold."""

    AT_LEAST = "GreaterThanOrEqualToThreshold"
    ABOVE = "GreaterThanThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"

    def holds(self, value: float, threshold: float) -> bool:
        """Whether `value` breaches."""
        match self:
            case Comparison.AT_LEAST:
                return value >= threshold
            case Comparison.ABOVE:
                return value > threshold
            case Comparison.BELOW:
                return value < threshold
            case Comparison.AT_MOST:
                return value <= threshold


@dataclass(frozen=True, slots=True)
class Watch:
    """One metric and the statistic of it."""

    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class MetricRule:
    """When a metric alarm is in ALARM."""

    comparison: Comparison
    threshold: float
    period_s: int
    evaluation_periods: int
    datapoints_to_alarm: int | None = None
    """M of an "M out of N" alarm; None means all N."""
    missing: Missing | None = None
    """None when it was not given: as `missing`."""
    low_samples: str | None = None
    """`evaluate`, `ignore`, or None when it was not given."""
    watch: Watch | None = None
    queries: tuple[Mapping[str, Any], ...] = ()
    """Metric data queries, one of which returns data, instead of `watch`."""

    @property
    def needed(self) -> int:
        """How many breaching datapoints make an alarm."""
        return self.datapoints_to_alarm or self.evaluation_periods


@dataclass(frozen=True, slots=True)
class CompositeRule:
    """When a composite alarm is in ALARM; what keeps its actions quiet."""

    expression: str
    suppressor: str | None = None
    suppressor_wait_s: int | None = None
    suppressor_extension_s: int | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """Where changes of state are told. Stored and returned; Penstock does not deliver them yet."""

    enabled: bool = True
    ok: tuple[str, ...] = ()
    alarm: tuple[str, ...] = ()
    insufficient_data: tuple[str, ...] = ()

    def on(self, state: AlarmState) -> tuple[str, ...]:
        """The targets for entering `state`."""
        if state is AlarmState.OK:
            return self.ok
        return self.alarm if state is AlarmState.ALARM else self.insufficient_data


@dataclass(frozen=True, slots=True)
class Standing:
    """The state an alarm is in, why, and since when."""

    state: AlarmState
    reason: str
    reason_data: str | None
    updated_at: float
    """When state or reason was last written."""
    transitioned_at: float
    """When the state last changed to another one."""
    by_hand: bool = False
    """Set by `SetAlarmState`: stands until the next evaluation has something newer to go by."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of either kind."""

    scope: Scope
    name: str
    rule: MetricRule | CompositeRule
    actions: Actions
    standing: Standing
    configured_at: float
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    revision: int = 0
    """Grows with every write; a decision about an older revision is thrown away."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return alarm_arn(self.scope, self.name)

    @property
    def kind(self) -> str:
        """AWS's word for the kind of alarm."""
        return "CompositeAlarm" if isinstance(self.rule, CompositeRule) else "MetricAlarm"


@dataclass(frozen=True, slots=True)
class Datapoint:
    """A period of the evaluation range; `value` is None when there were no samples."""

    at: float
    value: float | None = None
    samples: float | None = None
    """None when unknown, as for metric math."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an evaluation found."""

    state: AlarmState
    reason: str
    reason_data: str | None


@dataclass(frozen=True, slots=True)
class AlarmStateChanged:
    """The fact on the bus, published after commit."""

    scope: Scope
    name: str
    arn: str
    old: AlarmState
    new: AlarmState
    reason: str
    at: float


def alarm_arn(scope: Scope, name: str) -> str:
    """The ARN of the alarm of that name."""
    return arn("cloudwatch", scope, f"alarm:{name}")
