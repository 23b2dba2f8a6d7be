"""Base of all learning-rate schedules."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from core.options import Options, Unit

__all__ = ["Factor", "Schedule", "ScheduleState", "Share"]

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0, le=1)]
ScheduleState = Mapping[str, float]
"""What a schedule has to know of the epochs so far, for a checkpoint; empty in the beginning."""
NOTHING: ScheduleState = {}


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

    def after_epoch(self, seen: ScheduleState, value: float) -> ScheduleState:
        """Return the state after an epoch whose validation gave `value`; lower is better."""
        return seen
