"""What a metric is: its name, its samples, what was asked of it. Rule: values only.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from dataclasses import dataclass, field

from penstock.core.context import Scope
from penstock.observe.ports import Dimensions

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400
FORGOTTEN_AFTER_S = 14 * DAY_S
"""A metric without samples for two weeks is no longer listed."""
NO_UNIT = "None"


@dataclass(frozen=True, slots=True)
class MetricKey:
    """Every combination of dimensions is a metric of its own."""

    scope: Scope
    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True)
class StatisticSet:
    """Samples that the sender already aggregated."""

    count: float
    total: float
    minimum: float
    maximum: float

    @property
    def is_one_value(self) -> bool:
        """Whether the samples can be told apart again: they are all equal, so percentiles stay possible."""
        return self.minimum == self.maximum and self.total == self.minimum * self.count


@dataclass(frozen=True, slots=True)
class Datum:
    """One element of `PutMetricData`: either weighted values or a statistic set."""

    name: str
    dimensions: Dimensions
    unit: str
    at: float
    resolution_s: int
    """1 or 60: how finely the sample is stored."""
    values: tuple[tuple[float, float], ...] = ()
    """Value and how often it occurred."""
    statistics: StatisticSet | None = None


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """A metric's numbers over a time range: period `period_s` long, the first beginning at `start`."""

    key: MetricKey
    start: float
    end: float
    period_s: int
    unit: str | None = None
    """None takes samples of every unit."""


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A metric in a listing."""

    key: MetricKey
    last_at: float = field(compare=False)
