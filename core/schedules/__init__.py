"""Learning-rate schedules by name: functions of the training progress, and of what they have seen of validation.

To add one: write a class here and put it into `ScheduleConfig`.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from core.options import Options, Unit

__all__ = ["ScheduleConfig", "ScheduleState", "curve"]

CURVE_POINTS = 400

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0, le=1)]
ScheduleState = Mapping[str, float]
"""What a schedule has to know of the epochs so far, for a checkpoint; empty in the beginning."""
NOTHING: ScheduleState = {}


class _Schedule(Options):
    warmup: Annotated[float, Field(ge=0), Unit("epochs")] = 0.0
    """Epochs in which the learning rate first climbs to its value in equal steps."""

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
        """The factor, with steps counted from the end of the warm-up."""
        raise NotImplementedError

    def after_epoch(self, seen: ScheduleState, value: float) -> ScheduleState:
        """Return the state after an epoch whose validation gave `value`; lower is better."""
        return seen


class Constant(_Schedule):
    """The same learning rate throughout."""

    name: Literal["constant"] = "constant"

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return 1.0


class Step(_Schedule):
    """The learning rate falls by a factor every few epochs."""

    name: Literal["step"] = "step"
    every: Annotated[int, Field(ge=1)] = 10
    """Epochs between two falls."""
    gamma: Factor = 0.1
    """Factor of each fall."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return float(self.gamma ** (step // steps_per_epoch // self.every))


class Cosine(_Schedule):
    """The learning rate falls along half a cosine to its last value (Loshchilov and Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    last: Share = 0.0
    """Share of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return _along_cosine(1.0, self.last, step / steps)


class OneCycle(_Schedule):
    """The learning rate climbs to its value and falls to almost nothing, along two cosines (Smith and Topin 2018)."""

    name: Literal["one_cycle"] = "one_cycle"
    peak_at: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of the run in which the learning rate climbs."""
    first: Share = 0.04
    """Share of the learning rate that the run begins with."""
    last: Share = 4e-6
    """Share of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        peak, end = self.peak_at * steps - 1, steps - 1
        if step < peak:
            return _along_cosine(self.first, 1.0, step / peak)
        return _along_cosine(1.0, self.last, (step - peak) / (end - peak))


class Polynomial(_Schedule):
    """The learning rate falls as a power of what is left of the run: (1 - progress)^power."""

    name: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(gt=0)] = 1.0
    """1 is a straight line; more falls faster in the beginning."""
    last: Share = 0.0
    """Share of the learning rate that is left at the end."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return float(self.last + (1 - self.last) * (1 - step / steps) ** self.power)


class Plateau(_Schedule):
    """The learning rate falls by a factor when validation has not become better for some epochs."""

    name: Literal["plateau"] = "plateau"
    patience: Annotated[int, Field(ge=0), Unit("epochs")] = 5
    """Epochs without a better validation result that are let pass; it falls after the next one."""
    gamma: Factor = 0.1
    """Factor of each fall."""
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    """How much better a result must be than the best one to count."""
    last: Share = 0.0
    """Share of the learning rate below which it does not fall."""

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return seen.get("factor", 1.0)

    def after_epoch(self, seen: ScheduleState, value: float) -> ScheduleState:
        factor, best, stale = seen.get("factor", 1.0), seen.get("best", math.inf), seen.get("stale", 0) + 1
        if value < best - self.min_delta:
            best, stale = value, 0
        if stale > self.patience:
            factor, stale = max(factor * self.gamma, self.last), 0
        return {"factor": factor, "best": best, "stale": stale}


def _along_cosine(begin: float, end: float, share: float) -> float:
    """Return the value of half a cosine from `begin` to `end` after a share of its way."""
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2


ScheduleConfig = Annotated[
    Constant | Step | Cosine | OneCycle | Polynomial | Plateau, Field(discriminator="name")
]


def curve(
    schedule: ScheduleConfig, lr: float, epochs: int, steps_per_epoch: int
) -> tuple[list[float], list[float]]:
    """Epochs, from 0, and the learning rate that a schedule sets there, for a chart of the whole run.

    Validation is taken to become better with every epoch.
    """
    steps = epochs * steps_per_epoch
    places = sorted({round(point * (steps - 1) / CURVE_POINTS) for point in range(CURVE_POINTS + 1)})
    factors = (schedule.factor(step, steps, steps_per_epoch) for step in places)
    return [step / steps_per_epoch for step in places], [lr * factor for factor in factors]
