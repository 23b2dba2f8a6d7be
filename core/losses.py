"""Losses by name. Each class says which tasks it fits and how a network's output becomes a score.

A network gives one output per class, or one number for regression. Class targets are int64 of shape (batch,);
regression targets are float32 of shape (batch, 1), in standardised units.
To add one: write a class here and put it into `LossConfig`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.errors import ConfigError
from core.options import Options, choices

if TYPE_CHECKING:
    from torch import Tensor

    LossFunction = Callable[[Tensor, Tensor], Tensor]

__all__ = ["LossConfig", "Task", "resolve_loss"]

Task = Literal["binary", "multiclass", "regression"]
CLASSES: tuple[Task, ...] = ("binary", "multiclass")


class _Loss(Options):
    tasks: ClassVar[tuple[Task, ...]] = ()
    probabilities: ClassVar[bool] = False
    """Whether `scores` are class probabilities; otherwise they are margins or plain outputs."""

    def build(self, task: Task) -> "LossFunction":
        """A function of outputs (batch, n) and targets that gives the mean loss of the batch, a scalar."""
        raise NotImplementedError

    def scores(self, outputs: "Tensor") -> "Tensor":
        """What an evaluation ranks by, of the shape of `outputs` (n, classes)."""
        return outputs


class Auto(_Loss):
    """Cross-entropy for classes, MSE for regression."""

    name: Literal["auto"] = "auto"
    tasks = (*CLASSES, "regression")


class CrossEntropy(_Loss):
    """Cross-entropy of the softmax of the outputs: -log p(true class)."""

    name: Literal["cross_entropy"] = "cross_entropy"
    tasks = CLASSES
    probabilities = True
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target spread evenly over all classes."""

    def build(self, task: Task) -> "LossFunction":
        from torch.nn.functional import cross_entropy

        if self.label_smoothing == 0:
            return cross_entropy
        return lambda outputs, targets: cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)


class Mse(_Loss):
    """Mean squared error; for classes against one-hot targets."""

    name: Literal["mse"] = "mse"
    tasks = (*CLASSES, "regression")

    def build(self, task: Task) -> "LossFunction":
        from torch.nn.functional import mse_loss, one_hot

        if task == "regression":
            return mse_loss
        return lambda outputs, targets: mse_loss(
            outputs, one_hot(targets, outputs.shape[1]).to(outputs.dtype)
        )


class Hinge(_Loss):
    """Multi-class hinge: mean over the wrong classes of max(0, margin - s_true + s_wrong)."""

    name: Literal["hinge"] = "hinge"
    tasks = CLASSES
    margin: Annotated[float, Field(gt=0)] = 1.0
    """How far the true class must be ahead before the loss is zero."""

    def build(self, task: Task) -> "LossFunction":
        from torch.nn.functional import multi_margin_loss

        return lambda outputs, targets: multi_margin_loss(outputs, targets, margin=self.margin)


LossConfig = Annotated[Auto | CrossEntropy | Mse | Hinge, Field(discriminator="name")]


def resolve_loss(loss: LossConfig, task: Task) -> LossConfig:
    """The loss to train with: `auto` made definite, anything else checked against the task.

    Raises:
        ConfigError: the loss does not fit the task.
    """
    if isinstance(loss, Auto):
        return Mse() if task == "regression" else CrossEntropy()
    if task in loss.tasks:
        return loss
    fitting = [name for name, option in choices(LossConfig).items() if task in getattr(option, "tasks", ())]
    raise ConfigError(
        f"loss.name: '{loss.name}' does not fit a {task} task",
        f"Losses that fit: {', '.join(fitting)}",
        field="loss.name",
    )
