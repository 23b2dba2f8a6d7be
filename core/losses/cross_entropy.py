"""Losses of class probabilities: cross-entropy and its relatives."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.losses.base import TargetFacts
from core.losses.classes import ClassLoss, class_shares
from core.losses.pixels import pixel_cross_entropy
from core.losses.weights import smoothed

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["Bce", "CrossEntropy", "Focal"]


class CrossEntropy(ClassLoss):
    """Cross-entropy of the softmax of the outputs: -log p(true class)."""

    takes = ("classes", "pixels")
    name: Literal["cross_entropy"] = "cross_entropy"
    PROBABILITIES = True
    soft_targets = True
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of the target spread evenly over all classes."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import cross_entropy

        if self.label_smoothing == 0 and self.class_weights == "none":  # the loss and its mean in one
            return pixel_cross_entropy if targets.kind == "pixels" else cross_entropy
        return super().build(targets)

    def each(self, targets: TargetFacts) -> "LossFunction":
        weights = self.weights(targets)
        if weights is None or self.label_smoothing == 0:
            return super().each(targets)
        return smoothed(self.label_smoothing, weights)

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import cross_entropy

        return lambda outputs, targets: cross_entropy(
            outputs, targets, label_smoothing=self.label_smoothing, reduction="none"
        )

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)


class Bce(ClassLoss):
    """Binary cross-entropy of sigmoids: of the two outputs' difference, or of each class against the rest."""

    name: Literal["bce"] = "bce"
    PROBABILITIES = True
    soft_targets = True

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import binary_cross_entropy_with_logits

        def binary(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            second = targets if targets.ndim == 1 else targets[:, 1]
            return binary_cross_entropy_with_logits(
                outputs[:, 1] - outputs[:, 0], second.to(outputs.dtype), reduction="none"
            )

        def one_vs_rest(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            shares = class_shares(targets, outputs)
            return binary_cross_entropy_with_logits(outputs, shares, reduction="none").mean(dim=1)

        return binary if len(targets.class_counts) == 2 else one_vs_rest

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1) if outputs.shape[1] == 2 else outputs.sigmoid()

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        return super().gives_probabilities(targets) and len(targets.class_counts) == 2


class Focal(ClassLoss):
    """Focal loss: cross-entropy times (1 - p(true class))^gamma, less for what is right already (Lin et al. 2017)."""

    takes = ("classes", "pixels")
    name: Literal["focal"] = "focal"
    PROBABILITIES = True
    soft_targets = True
    gamma: Annotated[float, Field(ge=0)] = 2.0
    """How strongly easy samples are down-weighted; 0 is cross-entropy."""

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch import finfo

        def losses(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            logs = outputs.log_softmax(dim=1)
            away = (-logs.expm1()).clamp(min=finfo(logs.dtype).tiny)  # 1 - p; a root of 0 has no gradient
            return -(class_shares(targets, outputs) * away**self.gamma * logs).sum(dim=1)

        return losses

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)
