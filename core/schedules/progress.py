"""Schedules that depend on the progress of a run alone."""

import math
from typing import Annotated, Literal

from pydantic import Field

from core.schedules.base import Factor, Schedule, ScheduleState, Share

__all__ = ["Constant", "Cosine", "OneCycle", "Polynomial", "Step"]


class Constant(Schedule):
    """The same learning rate throughout."""

    name: Literal["constant"] = "constant"

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return 1.0


class Step(Schedule):
    """The learning rate falls by a factor every few epochs."""

    name: Literal["step"] = "step"
    every: Annotated[int, Field(ge=1)] = 10
    """Epochs between two reductions."""
    gamma: Factor = 0.1
    """Factor of each reduction."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return float(self.gamma ** (step // steps_per_epoch // self.every))


class Cosine(Schedule):
    """The learning rate falls along half a cosine to its last value (Loshchilov and Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    last: Share = 0.0
    """Fraction of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return _along_cosine(1.0, self.last, step / steps)


class OneCycle(Schedule):
    """The learning rate climbs to its value and falls to almost nothing, along two cosines (Smith and Topin 2018)."""

    name: Literal["one_cycle"] = "one_cycle"
    peak_at: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Fraction of the run in which the learning rate rises."""
    first: Share = 0.04
    """Fraction of the learning rate that the run starts with."""
    last: Share = 4e-6
    """Fraction of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        peak, end = self.peak_at * steps - 1, steps - 1
        if step < peak:
            return _along_cosine(self.first, 1.0, step / peak)
        return _along_cosine(1.0, self.last, (step - peak) / (end - peak))


class Polynomial(Schedule):
    """The learning rate falls as a power of what is left of the run: (1 - progress)^power."""

    name: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(gt=0)] = 1.0
    """Exponent of the decay: 1 is linear; larger values fall faster at the start."""
    last: Share = 0.0
    """Fraction of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return float(self.last + (1 - self.last) * (1 - step / steps) ** self.power)


def _along_cosine(begin: float, end: float, share: float) -> float:
    """Return the value of half a cosine from `begin` to `end` after a share of its way."""
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2
