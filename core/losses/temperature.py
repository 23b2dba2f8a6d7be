"""Temperature: probabilities of a trained model, made less or more sure of themselves.

Guo et al., "On calibration of modern neural networks" (2017): outputs are divided by one number before the softmax,
which changes no ranking of the classes of a sample.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import Scorer, TargetFacts

__all__ = ["Tempered"]


class Tempered:
    """A scorer whose probabilities p of a sample's classes become p^(1/temperature), divided by their sum.

    Args:
        temperature: above 1 for a model that is too sure, below 1 for one that is not sure enough.
    """

    converts = True

    def __init__(self, scorer: "Scorer", temperature: float) -> None:
        self.scorer, self.temperature = scorer, temperature

    def gives_probabilities(self, targets: "TargetFacts") -> bool:
        return self.scorer.gives_probabilities(targets)

    def scores(self, outputs: "Tensor") -> "Tensor":
        """Return probabilities (n, classes) of outputs (n, m)."""
        import torch

        probabilities = self.scorer.scores(outputs)
        smallest = torch.finfo(probabilities.dtype).tiny
        return (probabilities.clamp_min(smallest).log() / self.temperature).softmax(dim=1)
