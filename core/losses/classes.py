"""Base of the losses of classes."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.errors import ConfigError
from core.losses.base import Loss, TargetFacts, TargetKind
from core.losses.pixels import mean_over_pixels, pixel_cross_entropy, weighted_over_pixels
from core.losses.weights import balanced_weights, by_class, scaled_weights

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["ClassLoss", "class_shares", "mean_cross_entropy"]

Weight = Annotated[float, Field(ge=0)]


class ClassLoss(Loss):
    takes: ClassVar[tuple[TargetKind, ...]] = ("classes",)
    class_weights: Literal["none", "balanced"] | tuple[Weight, ...] = "none"
    """Weights of the samples of each class, such as 1, 4; balanced makes rare classes count as much as others."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        each = self.each(targets)
        if targets.kind == "pixels":
            return mean_over_pixels(each)
        return lambda outputs, targets: each(outputs, targets).mean()

    def weighted(self, targets: TargetFacts) -> "LossFunction":
        if targets.kind == "pixels":
            return weighted_over_pixels(self.each(targets))
        return super().weighted(targets)

    def each(self, targets: TargetFacts) -> "LossFunction":
        losses, weights = self.losses(targets), self.weights(targets)
        return losses if weights is None else by_class(losses, weights)

    def weights(self, targets: TargetFacts) -> list[float] | None:
        """Return the weight of each class, whose mean over all training samples is 1; None for equal weights.

        Raises:
            ConfigError: as of `check`.
        """
        if self.class_weights == "none" or targets.kind == "labels":
            return None
        if self.class_weights == "balanced":
            return balanced_weights(targets.class_counts)
        self.check(targets)
        return scaled_weights(self.class_weights, targets.class_counts)

    def check(self, targets: TargetFacts) -> None:
        if targets.kind == "labels" and self.class_weights != "none":
            raise ConfigError(
                "loss.class_weights: weigh samples by their class, and these samples have several labels",
                "Leave it at none; loss.pos_weight of bce and loss.alpha of focal weigh the positives of labels",
                field="loss.class_weights",
            )
        weights, classes = self.class_weights, len(targets.class_counts)
        if isinstance(weights, str) or (len(weights) == classes and any(weights)):
            return
        wrong = f"{len(weights)} weights for {classes} classes" if any(weights) else "no weight above 0"
        raise ConfigError(
            f"loss.class_weights: got {wrong}",
            "Give one for each class, in the order of the classes, or balanced",
            field="loss.class_weights",
        )

    def losses(self, targets: TargetFacts) -> "LossFunction":
        """Return a function of outputs and targets that gives the loss of each sample, (batch,)."""
        raise NotImplementedError


def mean_cross_entropy(targets: TargetFacts) -> "LossFunction":
    """Return a function of outputs and targets that gives their mean cross-entropy, the loss and its mean in one."""
    from torch.nn.functional import cross_entropy

    return pixel_cross_entropy if targets.kind == "pixels" else cross_entropy


def class_shares(targets: "Tensor", outputs: "Tensor") -> "Tensor":
    """Return targets as shares of each class (batch, classes), of the type of `outputs`."""
    from torch.nn.functional import one_hot

    soft = one_hot(targets, outputs.shape[1]) if targets.ndim == 1 else targets
    return soft.to(outputs.dtype)
