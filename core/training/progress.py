"""Where training is: what a checkpoint holds beside weights and optimizer."""

import math
from dataclasses import dataclass, field

from core.config.schema import Training
from core.metrics import lower_is_better

__all__ = ["Progress", "badness", "early_end", "patience_is_out", "time_is_up"]


@dataclass
class Progress:
    """Counts of what is done, and the best epoch so far.

    Attributes:
        epoch, batch, step: epochs done, batches done of the one going on, steps done in all.
        best_value: what chose the best epoch; lower is better.
        patience_value: what later epochs must go below. stale_epochs: epochs since one did.
        seconds: of training, by all sessions. epoch_seconds: those of the epoch going on.
        schedule: what the schedule has seen of validation.
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
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    schedule: dict[str, float] = field(default_factory=dict)
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


def badness(settings: Training, validation: dict[str, float], epoch: int) -> float:
    """What chooses the best epoch, the lowest; without validation the latest one counts as the best."""
    if not validation:
        return -epoch
    if not math.isfinite(validation["loss"]):
        return math.inf
    value = validation[settings.monitor]
    return value if lower_is_better(settings.monitor) else -value


def patience_is_out(settings: Training, at: Progress) -> bool:
    """Whether as many epochs as may be have passed without a better one."""
    return 0 < settings.patience <= at.stale_epochs


def time_is_up(settings: Training, at: Progress) -> bool:
    """Whether the run has trained for as long as it may."""
    return 0 < 60 * settings.max_minutes < at.seconds


def early_end(settings: Training, at: Progress) -> str:
    """Why a run ends before its last epoch, in words; empty when it goes on."""
    if at.batch:  # an epoch once begun is validated
        return ""
    if patience_is_out(settings, at):
        better = f"better by {settings.min_delta:g}" if settings.min_delta else "better"
        return f"validation {settings.monitor} has not become {better} for {settings.patience} epochs"
    if time_is_up(settings, at):
        return f"the time limit of {settings.max_minutes:g} minutes is reached in epoch {at.epoch}, step {at.step}"
    return ""
