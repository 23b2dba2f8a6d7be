"""Base of all learning-rate schedules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.options import Options, Unit

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from core.schedules.own_scheduler import OwnScheduler

__all__ = ["Factor", "RunLength", "Schedule", "ScheduleState", "Share"]

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0, le=1)]
ScheduleState = Mapping[str, float]
"""What a schedule has to know of the epochs so far, for a checkpoint; empty in the beginning."""
NOTHING: ScheduleState = {}


@dataclass(frozen=True)
class RunLength:
    """Length of a run."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """All steps of the run."""
        return self.epochs * self.steps_per_epoch


class Schedule(Options):
    warmup: Annotated[float, Field(ge=0), Unit("epochs")] = 0.0
    """Epochs over which the learning rate first rises linearly to its value."""

    def factor(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState = NOTHING) -> float:
        """Return the factor of the optimizer's learning rate.

        Args:
            step: steps done so far, from 0.
            steps: all steps of the run.
            steps_per_epoch: steps of one epoch.
            seen: what `after_epoch` gave for the last epoch.
        """
        warm = round(self.warmup * steps_per_epoch)
        if step < warm:
            return (step + 1) / warm
        return self.after_warmup(step - warm, max(steps - warm, 1), steps_per_epoch, seen)

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        """Return the factor, with steps counted from the end of the warm-up."""
        raise NotImplementedError

    def loaded(self, length: RunLength) -> "Schedule":
        """Return the schedule of a run of some length, with the user's function as it is now, if it names one."""
        return self

    def scheduler(
        self, optimizer: "Optimizer", length: RunLength, monitor: str, *, lower_is_better: bool
    ) -> "OwnScheduler | None":
        """Return what sets the learning rates of `optimizer` in place of `factor`; None if `factor` does.

        Args:
            monitor: name of the number that follows each epoch.
            lower_is_better: whether less of it is better.
        """
        return None

    def after_epoch(self, seen: ScheduleState, value: float) -> ScheduleState:
        """Return the state after an epoch whose validation gave `value`; lower is better."""
        return seen
