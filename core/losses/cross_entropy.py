"""Losses of class probabilities: cross-entropy and its relatives."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.errors import ConfigError
from core.losses.base import OF_CLASSES, Scorer, TargetFacts
from core.losses.classes import ClassLoss, class_shares, mean_cross_entropy
from core.losses.labels import LabelScorer, balanced_positives, label_bce, label_focal
from core.losses.weights import smoothed

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["Bce", "CrossEntropy", "Focal"]


PositiveWeight = Annotated[float, Field(gt=0)]


class CrossEntropy(ClassLoss):
    """Cross-entropy of the softmax of the outputs: -log p(true class)."""

    takes = OF_CLASSES
    name: Literal["cross_entropy"] = "cross_entropy"
    PROBABILITIES = True
    soft_targets = True
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of the target spread evenly over all classes."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        if self.label_smoothing == 0 and self.class_weights == "none":
            return mean_cross_entropy(targets)
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
    """Binary cross-entropy of sigmoids: of each label, of the difference of two outputs, or of each class."""

    name: Literal["bce"] = "bce"
    takes = ("classes", "labels")
    PROBABILITIES = True
    soft_targets = True
    pos_weight: Literal["none", "balanced"] | tuple[PositiveWeight, ...] = "none"
    """Weights of the positives of several labels, such as 3, 1; balanced makes them as heavy as the negatives."""

    def check(self, targets: TargetFacts) -> None:
        super().check(targets)
        if self.pos_weight == "none":
            return
        if targets.kind != "labels":
            raise ConfigError(
                "loss.pos_weight: weighs the positives of several labels, and these samples have one class each",
                "Leave it at none; loss.class_weights weighs classes",
                field="loss.pos_weight",
            )
        if not isinstance(self.pos_weight, str) and len(self.pos_weight) != len(targets.class_counts):
            raise ConfigError(
                f"loss.pos_weight: got {len(self.pos_weight)} weights for {len(targets.class_counts)} labels",
                "Give one for each label, in their order, or balanced",
                field="loss.pos_weight",
            )

    def scorer(self, targets: TargetFacts) -> Scorer:
        return LabelScorer() if targets.kind == "labels" else self

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import binary_cross_entropy_with_logits

        if targets.kind == "labels":
            return label_bce(self._positives(targets))

        def binary(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            second = targets if targets.ndim == 1 else targets[:, 1]
            return binary_cross_entropy_with_logits(
                outputs[:, 1] - outputs[:, 0], second.to(outputs.dtype), reduction="none"
            )

        def one_vs_rest(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            shares = class_shares(targets, outputs)
            return binary_cross_entropy_with_logits(outputs, shares, reduction="none").mean(dim=1)

        return binary if len(targets.class_counts) == 2 else one_vs_rest

    def _positives(self, targets: TargetFacts) -> Sequence[float] | None:
        """Return the weight of the positives of each label; None for 1."""
        self.check(targets)
        if self.pos_weight == "balanced":
            return balanced_positives(targets.class_counts, targets.samples)
        return None if isinstance(self.pos_weight, str) else self.pos_weight

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1) if outputs.shape[1] == 2 else outputs.sigmoid()

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        return super().gives_probabilities(targets) and len(targets.class_counts) == 2


class Focal(ClassLoss):
    """Focal loss: cross-entropy times (1 - p(true class))^gamma, less for what is right already (Lin et al. 2017)."""

    name: Literal["focal"] = "focal"
    takes = (*OF_CLASSES, "labels")
    PROBABILITIES = True
    soft_targets = True
    gamma: Annotated[float, Field(ge=0)] = 2.0
    """How strongly easy samples are down-weighted; 0 is cross-entropy."""
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Weight of positives, of labels or of class 1 of two; negatives have 1 - alpha; 0 weighs both alike, with 1."""

    def check(self, targets: TargetFacts) -> None:
        super().check(targets)
        classes = len(targets.class_counts)
        if self.alpha and targets.kind != "labels" and classes != 2:
            raise ConfigError(
                f"loss.alpha: weighs positives and negatives, and there are {classes} classes",
                "Leave it at 0; loss.class_weights weighs classes",
                field="loss.alpha",
            )
        if self.alpha and self.class_weights != "none":
            raise ConfigError(
                "loss.alpha: weighs the two classes, and so does loss.class_weights",
                "Set one of them",
                field="loss.alpha",
            )

    def weights(self, targets: TargetFacts) -> list[float] | None:
        if self.alpha and targets.kind != "labels":
            self.check(targets)
            return [1 - self.alpha, self.alpha]
        return super().weights(targets)

    def scorer(self, targets: TargetFacts) -> Scorer:
        return LabelScorer() if targets.kind == "labels" else self

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch import finfo

        if targets.kind == "labels":
            return label_focal(self.gamma, self.alpha)

        def losses(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            logs = outputs.log_softmax(dim=1)
            away = (-logs.expm1()).clamp(min=finfo(logs.dtype).tiny)  # 1 - p; a root of 0 has no gradient
            return -(class_shares(targets, outputs) * away**self.gamma * logs).sum(dim=1)

        return losses

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)
