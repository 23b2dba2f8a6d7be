"""Losses of predicted numbers; MSE also of classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.errors import ConfigError
from core.losses.base import Loss, Scorer, TargetFacts, per_target
from core.losses.classes import class_shares

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["L1", "Huber", "Mse", "Poisson", "Quantile"]

SMALLEST_MEAN = 1e-6
"""Of counts, where all of them are 0."""


class Mse(Loss):
    """Mean squared error; for classes against one-hot targets."""

    name: Literal["mse"] = "mse"
    takes = ("classes", "numbers")
    soft_targets = True

    def build(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import mse_loss

        if targets.kind == "numbers":
            return mse_loss
        return lambda outputs, targets: mse_loss(outputs, class_shares(targets, outputs))

    def each(self, targets: TargetFacts) -> "LossFunction":
        def squares(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            wanted = targets if targets.ndim == 2 else class_shares(targets, outputs)
            return (outputs - wanted).square().mean(dim=1)

        return squares


class L1(Loss):
    """Mean absolute error: the median of the targets, which outliers do not move."""

    name: Literal["l1"] = "l1"
    takes = ("numbers",)

    def build(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import l1_loss

        return l1_loss

    def each(self, targets: TargetFacts) -> "LossFunction":
        return lambda outputs, targets: (outputs - targets).abs().mean(dim=1)


class Huber(Loss):
    """Squared for errors up to delta, linear beyond: MSE that outliers pull less (Huber 1964)."""

    name: Literal["huber"] = "huber"
    takes = ("numbers",)
    delta: Annotated[float, Field(gt=0)] = 1.0
    """Error at which the square becomes a line, in standard deviations of the target."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import huber_loss

        return lambda outputs, targets: huber_loss(outputs, targets, delta=self.delta)

    def each(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import huber_loss

        return lambda outputs, targets: huber_loss(outputs, targets, delta=self.delta, reduction="none").mean(
            dim=1
        )


class Quantile(Loss):
    """Pinball loss: the quantile of the target that a fraction of the samples lies below (Koenker and Bassett 1978)."""

    name: Literal["quantile"] = "quantile"
    takes = ("numbers",)
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Fraction of the samples below the predicted number: 0.5 is the median, 0.9 a number that few exceed."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        return lambda outputs, targets: self._losses(outputs, targets).mean()

    def each(self, targets: TargetFacts) -> "LossFunction":
        return lambda outputs, targets: self._losses(outputs, targets).mean(dim=1)

    def _losses(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        from torch import maximum

        missing = targets - outputs
        return maximum(self.quantile * missing, (self.quantile - 1) * missing)


class Poisson(Loss):
    """Poisson regression for counts and rates: the expected count is the mean of all times exp(output)."""

    name: Literal["poisson"] = "poisson"
    takes = ("numbers",)
    converts = True

    def build(self, targets: TargetFacts) -> "LossFunction":
        losses = self._losses(targets)
        return lambda outputs, targets: losses(outputs, targets).mean()

    def each(self, targets: TargetFacts) -> "LossFunction":
        losses = self._losses(targets)
        return lambda outputs, targets: losses(outputs, targets).mean(dim=1)

    def _losses(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import poisson_nll_loss

        self.check(targets)
        counts = PoissonScorer(targets.mean, targets.std)

        def poisson(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            # In units of the mean: the gradient does not depend on how large the counts are.
            std, mean, unit = (per_target(each, targets) for each in (counts.std, counts.mean, counts.unit))
            wanted = (targets * std + mean) / unit
            return poisson_nll_loss(outputs, wanted, reduction="none")

        return poisson

    def check(self, targets: TargetFacts) -> None:
        if targets.lowest < 0:
            raise ConfigError(
                f"loss.name: 'poisson' takes counts, but the target goes down to {targets.lowest:g}",
                "Choose another loss, such as mse",
                field="loss.name",
            )

    def scorer(self, targets: TargetFacts) -> Scorer:
        return PoissonScorer(targets.mean, targets.std)


@dataclass(frozen=True)
class PoissonScorer:
    """Turns the outputs of a Poisson regression into expected counts, each target in standardised units."""

    mean: Sequence[float]
    std: Sequence[float]
    converts = True

    @property
    def unit(self) -> Sequence[float]:
        """Count of each target at an output of 0: its mean."""
        return [max(mean, SMALLEST_MEAN) for mean in self.mean]

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        return False

    def scores(self, outputs: "Tensor") -> "Tensor":
        unit, mean, std = (per_target(each, outputs) for each in (self.unit, self.mean, self.std))
        return (outputs.exp() * unit - mean) / std
