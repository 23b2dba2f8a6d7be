"""The progress of a training: what a checkpoint holds besides weights and optimizer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.config.training import Training
from core.counting import counted
from core.metrics import lower_is_better

__all__ = ["TrainingProgress", "early_end", "monitored_loss", "patience_is_out", "time_is_up"]


@dataclass
class TrainingProgress:
    """Counts of what is done, and the best epoch so far.

    Attributes:
        epoch, batch, step: epochs done, batches done of the current one, steps done in all.
        best_value: `monitored_loss` of the best epoch.
        top: monitored losses and numbers of the best epochs, as many as checkpoints are kept of.
        patience_value: what later epochs must go below. stale_epochs: epochs since one did.
        seconds: of training, in all sessions. epoch_seconds: those of the current epoch.
        schedule: what the schedule has seen of validation.
        meter: sums of the current epoch, as returned by `Meter.state`.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_value: float = math.inf
    best_metrics: dict[str, float] = field(default_factory=dict)
    top: list[tuple[float, int]] = field(default_factory=list)
    patience_value: float = math.inf
    stale_epochs: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    schedule: dict[str, float] = field(default_factory=dict)
    meter: dict[str, float] = field(default_factory=dict)

    def finish_epoch(
        self, value: float, metrics: dict[str, float], min_delta: float, *, keep_latest: bool = False
    ) -> bool:
        """Count an epoch whose monitored loss is `value`; return true if its weights are to be kept.

        They are if it is the best so far, or with `keep_latest` if its loss is a number at all.
        """
        self.epoch, self.batch, self.meter, self.epoch_seconds = self.epoch + 1, 0, {}, 0.0
        self.stale_epochs += 1
        if value < self.patience_value - min_delta:
            self.patience_value, self.stale_epochs = value, 0
        if not (value < self.best_value or (keep_latest and math.isfinite(value))):
            return False
        self.best_epoch, self.best_value, self.best_metrics = self.epoch, value, metrics
        return True

    def rank(self, value: float, count: int) -> set[int]:
        """Rank the epoch that was just finished by its monitored loss; return the `count` best epochs."""
        if count and math.isfinite(value):
            self.top = sorted([*self.top, (value, self.epoch)])[:count]
        return {epoch for _, epoch in self.top}


def monitored_loss(
    settings: Training, validation: dict[str, float], epoch: int, own: Mapping[str, bool] | None = None
) -> float:
    """Return the number whose minimum marks the best epoch; without validation the latest epoch is the best.

    It is infinite where the metric is undefined.

    Args:
        own: the direction of the user's own metrics; see `core.metrics.lower_is_better`.
    """
    if not validation:
        return -epoch
    value = validation[settings.monitor]
    if not (math.isfinite(validation.get("loss", 0.0)) and math.isfinite(value)):
        return math.inf
    return value if lower_is_better(settings.monitor, own) else -value


def patience_is_out(settings: Training, at: TrainingProgress) -> bool:
    """Return true if the allowed number of epochs has passed without a better one."""
    return 0 < settings.patience <= at.stale_epochs


def time_is_up(settings: Training, at: TrainingProgress) -> bool:
    """Return true if the run has trained for as long as it may."""
    return 0 < 60 * settings.max_minutes < at.seconds


def early_end(settings: Training, at: TrainingProgress) -> str:
    """Return why a run ends before its last epoch, in words; empty if it does not."""
    if at.batch:  # an epoch that was started is validated
        return ""
    if patience_is_out(settings, at):
        better = f"better by {settings.min_delta:g}" if settings.min_delta else "better"
        return (
            f"validation {settings.monitor} has not become {better} for {counted(settings.patience, 'epoch')}"
        )
    if time_is_up(settings, at):
        return f"the time limit of {settings.max_minutes:g} minutes is reached in epoch {at.epoch}, step {at.step}"
    return ""
