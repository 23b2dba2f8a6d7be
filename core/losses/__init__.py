"""Losses by name. Each class says which tasks it fits and how a network's output becomes a score.

A network gives one output per class, or one number for regression. Class targets are int64 of shape (batch,), or
shares of each class of shape (batch, classes) where a loss has `soft_targets`; regression targets are float32 of
shape (batch, 1), in standardised units.
To add one: write a class here and put it into `LossConfig`.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.errors import ConfigError
from core.metrics import Task
from core.options import Options, choices

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    LossFunction = Callable[[Tensor, Tensor], Tensor]

__all__ = ["LossConfig", "balanced_weights", "resolve_loss"]

CLASSES: tuple[Task, ...] = ("binary", "multiclass")


class _Loss(Options):
    tasks: ClassVar[tuple[Task, ...]] = ()
    probability_tasks: ClassVar[tuple[Task, ...]] = ()
    """Tasks in which `scores` are class probabilities; otherwise they are margins or plain outputs."""
    soft_targets: ClassVar[bool] = False
    """Whether it also takes targets of shape (batch, classes), the share of each class."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        """A function of outputs (batch, n) and targets that gives the mean loss of the batch, a scalar.

        Args:
            class_counts: training samples of each class; empty for regression.
        """
        raise NotImplementedError

    def scores(self, outputs: "Tensor") -> "Tensor":
        """Return the scores that an evaluation ranks by, of the shape of `outputs` (n, classes)."""
        return outputs


class Auto(_Loss):
    """Cross-entropy for classes, MSE for regression."""

    name: Literal["auto"] = "auto"
    tasks = (*CLASSES, "regression")


class _ClassLoss(_Loss):
    tasks: ClassVar[tuple[Task, ...]] = CLASSES
    class_weights: Literal["none", "balanced"] = "none"
    """Balanced weighs a sample with samples / (classes x samples of its class), so that rare classes count as much."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        losses = self.losses(task)
        if self.class_weights == "none":
            return lambda outputs, targets: losses(outputs, targets).mean()
        return _weighted(losses, balanced_weights(class_counts))

    def losses(self, task: Task) -> "LossFunction":
        """A function of outputs and targets that gives the loss of each sample, (batch,)."""
        raise NotImplementedError


class CrossEntropy(_ClassLoss):
    """Cross-entropy of the softmax of the outputs: -log p(true class)."""

    name: Literal["cross_entropy"] = "cross_entropy"
    probability_tasks = CLASSES
    soft_targets = True
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target spread evenly over all classes."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import cross_entropy

        if self.label_smoothing == 0 and self.class_weights == "none":
            return cross_entropy  # the loss and its mean in one
        return super().build(task, class_counts)

    def losses(self, task: Task) -> "LossFunction":
        from torch.nn.functional import cross_entropy

        return lambda outputs, targets: cross_entropy(
            outputs, targets, label_smoothing=self.label_smoothing, reduction="none"
        )

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)


class Bce(_ClassLoss):
    """Binary cross-entropy of sigmoids: of the two outputs' difference, or of each class against the rest."""

    name: Literal["bce"] = "bce"
    probability_tasks = ("binary",)
    soft_targets = True

    def losses(self, task: Task) -> "LossFunction":
        from torch.nn.functional import binary_cross_entropy_with_logits

        def binary(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            second = targets if targets.ndim == 1 else targets[:, 1]
            return binary_cross_entropy_with_logits(
                outputs[:, 1] - outputs[:, 0], second.to(outputs.dtype), reduction="none"
            )

        def one_vs_rest(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            shares = _shares(targets, outputs)
            return binary_cross_entropy_with_logits(outputs, shares, reduction="none").mean(dim=1)

        return binary if task == "binary" else one_vs_rest

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1) if outputs.shape[1] == 2 else outputs.sigmoid()


class Focal(_ClassLoss):
    """Focal loss: cross-entropy times (1 - p(true class))^gamma, less for what is right already (Lin et al. 2017)."""

    name: Literal["focal"] = "focal"
    probability_tasks = CLASSES
    soft_targets = True
    gamma: Annotated[float, Field(ge=0)] = 2.0
    """How much less easy samples count; 0 is cross-entropy."""

    def losses(self, task: Task) -> "LossFunction":
        from torch import finfo

        def losses(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            logs = outputs.log_softmax(dim=1)
            away = (-logs.expm1()).clamp(min=finfo(logs.dtype).tiny)  # 1 - p; a root of 0 has no gradient
            return -(_shares(targets, outputs) * away**self.gamma * logs).sum(dim=1)

        return losses

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)


class Hinge(_ClassLoss):
    """Multi-class hinge: what wrong classes lack of being a margin behind, max(0, margin - s_true + s_wrong)^power."""

    name: Literal["hinge"] = "hinge"
    margin: Annotated[float, Field(gt=0)] = 1.0
    """How far the true class must be ahead before the loss is zero."""
    power: Literal[1, 2] = 1
    """1 is the plain hinge, 2 the squared one."""
    variant: Literal["weston_watkins", "crammer_singer"] = "weston_watkins"
    """Whether all wrong classes count, summed and divided by the classes (1999), or the worst one alone (2001)."""

    def losses(self, task: Task) -> "LossFunction":
        from torch.nn.functional import multi_margin_loss

        def crammer_singer(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            true = targets.unsqueeze(1)
            wrong = outputs.scatter(1, true, -float("inf")).amax(dim=1)
            lack = (self.margin - outputs.gather(1, true).squeeze(1) + wrong).clamp(min=0)
            return lack**self.power

        def weston_watkins(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            return multi_margin_loss(outputs, targets, self.power, self.margin, reduction="none")

        return crammer_singer if self.variant == "crammer_singer" else weston_watkins


class Mse(_Loss):
    """Mean squared error; for classes against one-hot targets."""

    name: Literal["mse"] = "mse"
    tasks = (*CLASSES, "regression")
    soft_targets = True

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import mse_loss

        if task == "regression":
            return mse_loss
        return lambda outputs, targets: mse_loss(outputs, _shares(targets, outputs))


class L1(_Loss):
    """Mean absolute error: the median of the targets, which outliers do not move."""

    name: Literal["l1"] = "l1"
    tasks = ("regression",)

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import l1_loss

        return l1_loss


class Huber(_Loss):
    """Squared for errors up to delta, linear beyond: MSE that outliers pull less (Huber 1964)."""

    name: Literal["huber"] = "huber"
    tasks = ("regression",)
    delta: Annotated[float, Field(gt=0)] = 1.0
    """Error at which the square becomes a line, in standard deviations of the target."""

    def build(self, task: Task, class_counts: Sequence[int]) -> "LossFunction":
        from torch.nn.functional import huber_loss

        return lambda outputs, targets: huber_loss(outputs, targets, delta=self.delta)


LossConfig = Annotated[
    Auto | CrossEntropy | Bce | Focal | Hinge | Mse | L1 | Huber,
    Field(discriminator="name"),
]


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


def balanced_weights(class_counts: Sequence[int]) -> list[float]:
    """samples / (classes x samples of the class), as scikit-learn's ``class_weight="balanced"``.

    Their mean over all training samples is 1. Classes without training samples do not count, and weigh 1.
    """
    present = sum(count > 0 for count in class_counts)
    return [sum(class_counts) / (present * count) if count else 1.0 for count in class_counts]


def _weighted(losses: "LossFunction", weights: Sequence[float]) -> "LossFunction":
    """The mean of weight x loss over samples.

    The sum is divided by the number of samples, not by the sum of their weights, so that the mean over batches is
    that over all samples however they are cut into batches.
    """

    @cache
    def on(device: "torch.device") -> "Tensor":
        import torch

        return torch.tensor(weights, device=device)

    def weighted(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        each, known = losses(outputs, targets), on(outputs.device)
        return (each * (known[targets] if targets.ndim == 1 else targets @ known)).mean()

    return weighted


def _shares(targets: "Tensor", outputs: "Tensor") -> "Tensor":
    """Targets as shares of each class (batch, classes), of the type of `outputs`."""
    from torch.nn.functional import one_hot

    soft = one_hot(targets, outputs.shape[1]) if targets.ndim == 1 else targets
    return soft.to(outputs.dtype)
