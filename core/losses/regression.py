"""Losses of predicted numbers; MSE also of classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.losses.base import CLASSES, Loss
from core.losses.classes import class_shares
from core.metrics import Task

if TYPE_CHECKING:
    from core.losses.base import LossFunction

__all__ = ["L1", "Huber", "Mse"]


class Mse(Loss):
    """Mean squared error; for classes against one-hot targets."""

    name: Literal["mse"] = "mse"
    tasks = (*CLASSES, "regression")
    soft_targets = True

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import mse_loss

        if task == "regression":
            return mse_loss
        return lambda outputs, targets: mse_loss(outputs, class_shares(targets, outputs))


class L1(Loss):
    """Mean absolute error: the median of the targets, which outliers do not move."""

    name: Literal["l1"] = "l1"
    tasks = ("regression",)

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import l1_loss

        return l1_loss


class Huber(Loss):
    """Squared for errors up to delta, linear beyond: MSE that outliers pull less (Huber 1964)."""

    name: Literal["huber"] = "huber"
    tasks = ("regression",)
    delta: Annotated[float, Field(gt=0)] = 1.0
    """Error at which the square becomes a line, in standard deviations of the target."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import huber_loss

        return lambda outputs, targets: huber_loss(outputs, targets, delta=self.delta)
