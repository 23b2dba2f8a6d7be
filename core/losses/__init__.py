"""Losses by name. Each class says which targets it fits and how a network's output becomes a score.

To add one: write a class in a module here and put it into `LossConfig`.
"""

from typing import Annotated, Literal

from pydantic import Field

from core.losses.base import ALL_KINDS, Loss
from core.losses.cross_entropy import Bce, CrossEntropy, Focal
from core.losses.hinge import Hinge
from core.losses.pixels import Dice
from core.losses.python import PythonLoss
from core.losses.regression import L1, Huber, Mse, Poisson, Quantile

__all__ = ["Auto", "CrossEntropy", "LossConfig", "Mse"]


class Auto(Loss):
    """Cross-entropy for classes, MSE for regression."""

    name: Literal["auto"] = "auto"
    takes = ALL_KINDS


LossConfig = Annotated[
    Auto | CrossEntropy | Bce | Focal | Hinge | Dice | Mse | L1 | Huber | Quantile | Poisson | PythonLoss,
    Field(discriminator="name"),
]
