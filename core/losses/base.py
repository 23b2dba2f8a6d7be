"""Base of all losses.

A network gives one output per class, or one number for regression. Class targets are int64 of shape (batch,), or
shares of each class of shape (batch, classes) where a loss has `soft_targets`; several labels are float32 zeros and
ones of shape (batch, labels); regression targets are float32 of shape (batch, 1), in standardised units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol

from core.losses.labels import LabelScorer
from core.losses.temperature import Tempered
from core.options import Options

if TYPE_CHECKING:
    from torch import Tensor

    LossFunction = Callable[..., Tensor]
    """Takes outputs (batch, n), targets, and where there are any weights of the samples (batch,); returns a scalar."""

__all__ = [
    "ALL_KINDS",
    "OF_CLASSES",
    "Loss",
    "Scorer",
    "TargetFacts",
    "TargetKind",
    "exact_scores",
    "per_target",
    "weighted_mean",
]

TargetKind = Literal["classes", "labels", "pixels", "numbers", "own"]
"""What targets are: a class of each sample or pixel, labels of which any may hold, numbers, or whatever a network's own
training step takes."""
ALL_KINDS: Final[tuple[TargetKind, ...]] = ("classes", "labels", "pixels", "numbers")
"""All that a loss can be given."""
OF_CLASSES: Final[tuple[TargetKind, ...]] = ("classes", "pixels")
"""Those with one class in each place, of which softmax makes probabilities."""


@dataclass(frozen=True)
class TargetFacts:
    """Facts of the targets that a loss may depend on.

    Attributes:
        kind: what the targets are.
        class_counts: training samples of each class or label, or their weights; empty for regression.
        samples: training samples in all, or their weights.
        mean, std: what each target of a regression was standardised with.
        lowest: smallest training target of a regression, in its own unit.
        soft: of classes, true for soft labels, the share of each class.
    """

    kind: TargetKind
    class_counts: Sequence[float] = ()
    mean: Sequence[float] = (0.0,)
    std: Sequence[float] = (1.0,)
    lowest: float = 0.0
    samples: float = 0.0
    soft: bool = False


class Scorer(Protocol):
    """Makes the scores of an evaluation out of a network's outputs."""

    @property
    def converts(self) -> bool:
        """Return true if only scores, not outputs, show what is predicted: the largest one, or the number."""

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        """Return whether scores are probabilities of classes, whose sum is 1, or of labels; else margins or numbers."""

    def scores(self, outputs: "Tensor") -> "Tensor":
        """Return scores (n, classes), or numbers (n, 1) in standardised units, of outputs (n, m)."""


class Loss(Options):
    takes: ClassVar[tuple[TargetKind, ...]] = ()
    """Kinds of targets that it fits."""
    PROBABILITIES: ClassVar[bool] = False
    """Whether scores are probabilities; otherwise they are margins or plain outputs."""
    soft_targets: ClassVar[bool] = False
    """Whether it also takes targets of shape (batch, classes), the share of each class."""
    converts: ClassVar[bool] = False
    """Whether only `scores` show what is predicted; see `Scorer`."""
    STATIC: ClassVar[bool] = True
    """Whether it computes the same way at each step, so that a step can be recorded and replayed."""

    def build(self, targets: TargetFacts) -> "LossFunction":
        """Return a function of outputs (batch, n) and targets that gives the mean loss of the batch, a scalar.

        A loss of the user's own is a `torch.nn.Module`, which may have weights and buffers, and a `Scorer` itself.

        Raises:
            ConfigError: as of `check`.
        """
        raise NotImplementedError

    def weighted(self, targets: TargetFacts) -> "LossFunction":
        """Return a function of outputs, targets and weights of the samples (batch,) that gives their weighted mean.

        It is sum(weight x loss) / sum(weights): samples of weight 2 count as if each were there twice.

        Raises:
            ConfigError: as of `check`.
        """
        each = self.each(targets)

        def weighted(outputs: "Tensor", targets: "Tensor", weights: "Tensor") -> "Tensor":
            return weighted_mean(each(outputs, targets), weights)

        return weighted

    def each(self, targets: TargetFacts) -> "LossFunction":
        """Return a function of outputs and targets that gives the loss of each sample, (batch,).

        Raises:
            ConfigError: as of `check`.
        """
        raise NotImplementedError

    def check(self, targets: TargetFacts) -> None:
        """Check that the loss fits these targets.

        Raises:
            ConfigError: it does not.
        """

    def scorer(self, targets: TargetFacts) -> Scorer:
        """Return what makes scores of outputs."""
        return self

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        """Return whether scores are probabilities of the classes, whose sum is 1."""
        return self.PROBABILITIES and targets.kind in OF_CLASSES

    def outputs(self, needed: int) -> int:
        """Return how many outputs a network has for one sample.

        Args:
            needed: one per class, or one for regression.
        """
        return needed

    def scores(self, outputs: "Tensor") -> "Tensor":
        """Return the scores that an evaluation ranks by, of the shape of `outputs` (n, classes)."""
        return outputs


def per_target(values: "Sequence[float]", like: "Tensor") -> "Tensor | float":
    """Return a number of each target (k,) as it computes with numbers (n, k): of a single target itself."""
    return values[0] if len(values) == 1 else like.new_tensor(values)


def weighted_mean(losses: "Tensor", weights: "Tensor") -> "Tensor":
    """Return the mean of losses (batch,) by weights (batch,), a scalar; 0 where all weights are 0."""
    from torch import finfo

    return (losses * weights).sum() / weights.sum().clamp(min=finfo(weights.dtype).tiny)


NEAR_ONE = 1 - 1e-4
"""From here on float32 has too few digits for the distance from 1, which ranks samples and decides the log loss."""


def exact_scores(scorer: Scorer, outputs: "Tensor") -> "Tensor":
    """Return the scores of outputs on the processor: in float64 where float32 would round probabilities towards 1.

    A loss of the user's own decides on its own precision.
    """
    scores = scorer.scores(outputs).cpu()
    made_by = scorer.scorer if isinstance(scorer, Tempered) else scorer
    known = isinstance(made_by, LabelScorer) or (isinstance(made_by, Loss) and made_by.PROBABILITIES)
    if known and bool((scores > NEAR_ONE).any()):
        return scorer.scores(outputs.cpu().double())
    return scores
