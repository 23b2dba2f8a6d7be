"""Where training is: what a checkpoint holds beside weights and optimizer."""

import math
from dataclasses import dataclass, field

__all__ = ["Progress"]


@dataclass
class Progress:
    """Counts of what is done, and the best epoch so far.

    Attributes:
        epoch, batch, step: epochs done, batches done of the one going on, steps done in all.
        best_value: what chose the best epoch; lower is better.
        patience_value: what later epochs must go below. stale_epochs: epochs since one did.
        epoch_seconds: spent on the epoch going on, by all sessions.
        meter: sums of the epoch going on, as `Meter.state` gives them.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_value: float = math.inf
    best_metrics: dict[str, float] = field(default_factory=dict)
    patience_value: float = math.inf
    stale_epochs: int = 0
    epoch_seconds: float = 0.0
    meter: dict[str, float] = field(default_factory=dict)

    def finish_epoch(self, value: float, metrics: dict[str, float], min_delta: float) -> bool:
        """Count an epoch whose validation gave `value`, lower is better; whether it is the best so far."""
        self.epoch, self.batch, self.meter, self.epoch_seconds = self.epoch + 1, 0, {}, 0.0
        self.stale_epochs += 1
        if value < self.patience_value - min_delta:
            self.patience_value, self.stale_epochs = value, 0
        if not value < self.best_value:
            return False
        self.best_epoch, self.best_value, self.best_metrics = self.epoch, value, metrics
        return True
