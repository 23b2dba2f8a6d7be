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
        by_validation: it was chosen by validation, not by training for want of it.
    """

    monitor: str = "loss"
    lower: bool = True
    epoch: int = 0
    value: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)
    by_validation: bool = False

    def judge_epoch(self, epoch: int, validation: dict[str, float], train: dict[str, float]) -> None:
        """Take in an epoch by its validation; by training as long as no epoch was validated, as some have none."""
        if validation and not self.by_validation:
            self.epoch, self.value, self.metrics, self.by_validation = 0, math.nan, {}, True
        if validation or not self.by_validation:
            self.judge(epoch, validation or train)

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
