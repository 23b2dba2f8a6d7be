"""The best epoch so far."""

import math
from dataclasses import dataclass, field

__all__ = ["Best"]


@dataclass
class Best:
    """The epoch with the lowest or highest value of a metric; the latest one as long as nobody reports it.

    Attributes:
        monitor: name of the metric. lower: whether less of it is better.
        epoch: 0 before the first. value: of the metric. metrics: all that were reported with it.
    """

    monitor: str = "loss"
    lower: bool = True
    epoch: int = 0
    value: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)

    def judge(self, epoch: int, metrics: dict[str, float]) -> None:
        """Take in an epoch that is done."""
        value, known = metrics.get(self.monitor), not math.isnan(self.value)
        if value is None:
            better = not known
        else:
            beaten = value < self.value if self.lower else value > self.value
            better = math.isfinite(value) and (beaten or not known)
        if better:
            self.epoch, self.metrics = epoch, metrics
            self.value = math.nan if value is None else value
