"""Base of the losses of classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from core.losses.base import CLASSES, Loss
from core.losses.weights import balanced_weights, weighted
from core.metrics import Task

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["ClassLoss", "class_shares"]


class ClassLoss(Loss):
    tasks: ClassVar[tuple[Task, ...]] = CLASSES
    class_weights: Literal["none", "balanced"] = "none"
    """Balanced weighs a sample with samples / (classes x samples of its class), so that rare classes count as much."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        losses = self.losses(task)
        if self.class_weights == "none":
            return lambda outputs, targets: losses(outputs, targets).mean()
        return weighted(losses, balanced_weights(class_counts))

    def losses(self, task: Task) -> "LossFunction":
        """Return a function of outputs and targets that gives the loss of each sample, (batch,)."""
        raise NotImplementedError


def class_shares(targets: "Tensor", outputs: "Tensor") -> "Tensor":
    """Return targets as shares of each class (batch, classes), of the type of `outputs`."""
    from torch.nn.functional import one_hot

    soft = one_hot(targets, outputs.shape[1]) if targets.ndim == 1 else targets
    return soft.to(outputs.dtype)
