"""Learning-rate schedules by name: pure functions of the training progress, so that resuming needs no state.

To add one: write a class here and put it into `ScheduleConfig`.
"""

import math
from typing import Annotated, Literal

from pydantic import Field

from core.options import Options

__all__ = ["ScheduleConfig"]


class _Schedule(Options):
    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """What the learning rate of the optimizer is multiplied with.

        Args:
            step: steps done so far, from 0.
            steps: all steps of the run.
            steps_per_epoch: steps of one epoch.
        """
        raise NotImplementedError


class Constant(_Schedule):
    """The same learning rate throughout."""

    name: Literal["constant"] = "constant"

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return 1.0


class Step(_Schedule):
    """The learning rate falls by a factor every few epochs."""

    name: Literal["step"] = "step"
    every: Annotated[int, Field(ge=1)] = 10
    """Epochs between two falls."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Factor of each fall."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return float(self.gamma ** (step // steps_per_epoch // self.every))


class Cosine(_Schedule):
    """The learning rate falls along half a cosine to its last value (Loshchilov and Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    last: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the learning rate that is left at the end."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return self.last + (1 - self.last) * (1 + math.cos(math.pi * step / steps)) / 2


ScheduleConfig = Annotated[Constant | Step | Cosine, Field(discriminator="name")]
