"""Losses of several labels a sample: each output is one label, by its sigmoid."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from core.losses.base import LossFunction, TargetFacts

__all__ = ["LabelScorer", "balanced_positives", "label_bce", "label_focal"]


class LabelScorer:
    """Makes probabilities of outputs, each label by itself."""

    converts = False

    def gives_probabilities(self, targets: "TargetFacts") -> bool:
        return True

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.sigmoid()


def balanced_positives(counts: Sequence[float], samples: float) -> list[float]:
    """Return samples without a label / samples with it, for each label; 1 for a label that none has, or all."""
    return [(samples - count) / count if 0 < count < samples else 1.0 for count in counts]


def label_bce(pos_weight: Sequence[float] | None) -> "LossFunction":
    """Return the binary cross-entropy of each sample (batch,), the mean over labels.

    As PyTorch's ``BCEWithLogitsLoss(pos_weight)``, of which the losses of positives are multiplied by their weight.
    """
    from torch.nn.functional import binary_cross_entropy_with_logits

    @cache
    def weights(device: "torch.device") -> "Tensor | None":
        import torch

        return None if pos_weight is None else torch.tensor(pos_weight, device=device)

    def bce(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        known = weights(outputs.device)
        return binary_cross_entropy_with_logits(
            outputs,
            targets.to(outputs.dtype),
            pos_weight=None if known is None else known.to(outputs.dtype),
            reduction="none",
        ).mean(dim=1)

    return bce


def label_focal(gamma: float, alpha: float) -> "LossFunction":
    """Return the focal loss of sigmoids of each sample (batch,), the mean over labels (Lin et al. 2017, equation 5).

    Args:
        alpha: weight of positives, 1 - alpha of negatives; 0 weighs both alike, with 1.
    """

    def focal(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        from torch import finfo
        from torch.nn.functional import logsigmoid

        truth = targets.to(outputs.dtype)
        logs = truth * logsigmoid(outputs) + (1 - truth) * logsigmoid(-outputs)
        away = (-logs.expm1()).clamp(min=finfo(logs.dtype).tiny)  # 1 - p; a root of 0 has no gradient
        losses = -(away**gamma) * logs
        if alpha:
            losses = losses * (alpha * truth + (1 - alpha) * (1 - truth))
        return losses.mean(dim=1)

    return focal
