"""How fast a function may get new environments: 1,000 every ten seconds. Rule: pure; a bucket is a value.

The allowance refills continuously and unused parts do not add up:
https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
"""

from dataclasses import dataclass

CAPACITY = 1000.0
REFILL_PER_S = 100.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a function may still take, as it was at a monotonic instant."""

    level: float
    at: float

    def level_at(self, now: float) -> float:
        """The same, refilled until now."""
        return min(CAPACITY, self.level + (now - self.at) * REFILL_PER_S)

    def is_full(self, now: float) -> bool:
        """Whether forgetting it changes nothing."""
        return self.level_at(now) >= CAPACITY


def draw(bucket: Bucket | None, now: float) -> tuple[Bucket, bool]:
    """Take one environment out; None stands for a full bucket. The bucket afterwards, and whether there was one."""
    level = CAPACITY if bucket is None else bucket.level_at(now)
    return (Bucket(level - 1.0, now), True) if level >= 1.0 else (Bucket(level, now), False)
