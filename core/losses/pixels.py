"""Losses of masks: those of classes at each pixel, and the overlap of each class (Dice)."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.losses.base import Loss, TargetFacts

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["Dice", "mean_over_pixels", "pixel_cross_entropy", "weighted_over_pixels"]

SMOOTH = 1.0
"""Pixels added above and below: classes that hardly occur in a batch neither divide by 0 nor jump."""


def by_pixel(outputs: "Tensor", targets: "Tensor") -> "tuple[Tensor, Tensor, Tensor]":
    """Return outputs (pixels, classes), int64 classes (pixels,), and 1 or 0 (pixels,) where a pixel counts or does not.

    Args:
        outputs: (batch, classes, height, width). targets: uint8 or int64 (batch, height, width).
    """
    from core.arrays import IGNORED

    known = targets != IGNORED
    classes = targets.long() * known
    flat = outputs.movedim(1, -1).reshape(-1, outputs.shape[1])
    return flat, classes.reshape(-1), known.reshape(-1).to(outputs.dtype)


def mean_over_pixels(losses: "LossFunction") -> "LossFunction":
    """Return the mean of losses of classes over the pixels of a batch that count.

    Args:
        losses: function of outputs (n, classes) and classes (n,) that gives n losses.
    """

    def mean(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        flat, classes, known = by_pixel(outputs, targets)
        return (losses(flat, classes) * known).sum() / known.sum().clamp(min=1)

    return mean


def weighted_over_pixels(losses: "LossFunction") -> "LossFunction":
    """Return the mean as `mean_over_pixels`, each pixel by the weight of its image (batch,)."""

    def mean(outputs: "Tensor", targets: "Tensor", weights: "Tensor") -> "Tensor":
        from torch import finfo

        flat, classes, known = by_pixel(outputs, targets)
        counted = known * weights.repeat_interleave(targets[0].numel())
        return (losses(flat, classes) * counted).sum() / counted.sum().clamp(min=finfo(counted.dtype).tiny)

    return mean


def pixel_cross_entropy(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """Return the mean cross-entropy over the pixels of a batch that count; 0 where none does.

    Pixels are rows: PyTorch's own loss of maps cannot be computed the same way twice on a GPU.
    """
    from torch.nn.functional import cross_entropy

    from core.arrays import IGNORED

    rows = outputs.movedim(1, -1).reshape(-1, outputs.shape[1])
    total = cross_entropy(rows, targets.reshape(-1).long(), ignore_index=IGNORED, reduction="sum")
    return total / (targets != IGNORED).sum().clamp(min=1)


class Dice(Loss):
    """1 - Dice: the overlap of each class over a batch, in which rare classes weigh as much as frequent ones."""

    name: Literal["dice"] = "dice"
    takes = ("pixels",)
    PROBABILITIES = True
    cross_entropy: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the cross-entropy that is added; 1 gives the sum of both."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        return lambda outputs, targets: self._loss(outputs, targets, None)

    def weighted(self, targets: TargetFacts) -> "LossFunction":
        return self._loss

    def scores(self, outputs: "Tensor") -> "Tensor":
        return outputs.softmax(dim=1)

    def _loss(self, outputs: "Tensor", targets: "Tensor", weights: "Tensor | None") -> "Tensor":
        """Return 1 - 2 sum(p t) / (sum p + sum t), its mean over classes (Milletari et al. 2016, without squares)."""
        from torch.nn.functional import cross_entropy, one_hot

        flat, classes, counted = by_pixel(outputs.float(), targets)
        if weights is not None:
            counted = counted * weights.repeat_interleave(targets[0].numel())
        shares = flat.softmax(dim=1) * counted.unsqueeze(1)
        truth = one_hot(classes, flat.shape[1])
        both = (shares * truth).sum(dim=0)
        true = (truth * counted.unsqueeze(1)).sum(dim=0)
        overlap = (2 * both + SMOOTH) / (shares.sum(dim=0) + true + SMOOTH)
        loss = 1 - overlap.mean()
        if self.cross_entropy:
            logs = cross_entropy(flat, classes, reduction="none") * counted
            loss = loss + self.cross_entropy * logs.sum() / counted.sum().clamp(min=SMOOTH)
        return loss
