"""A schedule that depends on validation."""

import math
from typing import Annotated, Literal

from pydantic import Field

from core.options import Unit
from core.schedules.base import Factor, Schedule, ScheduleState, Share

__all__ = ["Plateau"]


class Plateau(Schedule):
    """The learning rate falls by a factor when validation has not become better for some epochs."""

    name: Literal["plateau"] = "plateau"
    patience: Annotated[int, Field(ge=0), Unit("epochs")] = 5
    """Epochs without improvement to wait for; the learning rate falls after the next one."""
    gamma: Factor = 0.1
    """Factor of each reduction."""
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    """Smallest change that counts as an improvement."""
    last: Share = 0.0
    """Fraction of the learning rate below which it does not fall."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return seen.get("factor", 1.0)

    def after_epoch(self, seen: ScheduleState, value: float) -> ScheduleState:
        factor, best, stale = seen.get("factor", 1.0), seen.get("best", math.inf), seen.get("stale", 0) + 1
        if value < best - self.min_delta:
            best, stale = value, 0
        if stale > self.patience:
            factor, stale = max(factor * self.gamma, self.last), 0
        return {"factor": factor, "best": best, "stale": stale}
