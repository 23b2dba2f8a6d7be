"""Base of all losses.

A network gives one output per class, or one number for regression. Class targets are int64 of shape (batch,), or
shares of each class of shape (batch, classes) where a loss has `soft_targets`; regression targets are float32 of
shape (batch, 1), in standardised units.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from core.metrics import Task
from core.options import Options

if TYPE_CHECKING:
    from torch import Tensor

    LossFunction = Callable[[Tensor, Tensor], Tensor]

__all__ = ["CLASSES", "Loss"]

CLASSES: tuple[Task, ...] = ("binary", "multiclass")


class Loss(Options):
    tasks: ClassVar[tuple[Task, ...]] = ()
    probability_tasks: ClassVar[tuple[Task, ...]] = ()
    """Tasks in which `scores` are class probabilities; otherwise they are margins or plain outputs."""
    soft_targets: ClassVar[bool] = False
    """Whether it also takes targets of shape (batch, classes), the share of each class."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        """Return a function of outputs (batch, n) and targets that gives the mean loss of the batch, a scalar.

        Args:
            class_counts: training samples of each class; empty for regression.
        """
        raise NotImplementedError

    def scores(self, outputs: "Tensor") -> "Tensor":
        """Return the scores that an evaluation ranks by, of the shape of `outputs` (n, classes)."""
        return outputs
