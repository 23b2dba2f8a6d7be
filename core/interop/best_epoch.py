"""The best epoch so far."""

import math
from dataclasses import dataclass, field

__all__ = ["Best"]


@dataclass
class Best:
    """The epoch with the lowest loss; the latest one if no loss is reported.

    Attributes:
        epoch: 0 before the first. value: its loss. metrics: all that were reported with it.
    """

    epoch: int = 0
    value: float = math.inf
    metrics: dict[str, float] = field(default_factory=dict)

    def judge(self, epoch: int, metrics: dict[str, float]) -> None:
        """Take in an epoch that is done."""
        value = metrics.get("loss", -float(epoch))
        if value < self.value:
            self.epoch, self.value, self.metrics = epoch, value, metrics
