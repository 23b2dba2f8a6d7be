"""The shape of a task. Whatever differs between tasks is a field or a method here; nothing else compares their names.

Methods import what they need when they are called: listings and the first screen must not wait for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from core.losses.base import TargetKind
from core.metrics import OF_CLASS

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.dataset import Dataset, Split
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report
    from core.losses.base import Scorer

__all__ = ["Counted", "Tally", "Task"]


@dataclass(frozen=True)
class Counted:
    """Counts over a pass, for as many classes as are counted: a confusion matrix, or the counts of each label.

    Attributes:
        confusion: rows true, columns predicted.
        class_counts: three lists over the labels: samples that are right, have the label, are given it.
    """

    confusion: list[list[int]] = field(default_factory=list)
    class_counts: list[list[int]] = field(default_factory=list)


class Tally(Protocol):
    """Collects the answers of one pass over validation."""

    def add(self, scores: "Tensor", targets: "Tensor", weights: "Tensor | None") -> None:
        """Add a batch; nothing waits for the device.

        Args:
            scores: outputs of the network (b, n, ...), or scores where only these show what is predicted.
            weights: (b,) of the samples; None if all count alike.
        """

    def read(
        self,
        targets: "Tensor",
        weights: "Tensor | None",
        classes: int,
        sums: Callable[[list[float]], list[float]],
    ) -> tuple[float, Counted]:
        """Return the weighted score of the pass, and its counts of classes, which count samples.

        Args:
            targets, weights: of the whole split, as batches have them.
            classes: how many outputs the network has for a sample.
            sums: adds up numbers over all processes.
        """


class Task:
    """Base of all tasks."""

    name: ClassVar[str]
    """As it stands in a run."""
    targets: ClassVar[TargetKind]
    """Kind of the targets: losses that take it fit."""
    called: ClassVar[str]
    """What its targets are called."""
    score: ClassVar[str]
    """Number beside the loss, of training and validation after each epoch."""
    goal: ClassVar[str] = ""
    """Metric that validation reports as well, and tuning goes by where none is named; by default the score."""
    default_loss: ClassVar[str] = ""
    """Loss that `auto` stands for."""
    views: ClassVar[tuple[str, ...]]
    """Parts of an evaluation that show it: tabs of a screen, figures of a page."""
    headlines: ClassVar[tuple[str, ...]] = ()
    """Metrics that stand above an evaluation, a single one as a share in per cent; by default those that come first."""
    worst_first: ClassVar[str] = ""
    """What the worst predictions are called; see `worst`."""
    class_columns: ClassVar[tuple[str, ...]] = OF_CLASS
    """Numbers of each class in its report."""
    counted: ClassVar[str] = "samples"
    """Things that each have a class."""
    baseline: ClassVar[str] = ""
    """Short name of the rule that needs no model, beside a single headline."""
    constant_name: ClassVar[str] = ""
    """What the model is called that gives the same answer to every sample; see `constant`."""
    on_images: ClassVar[bool] = False
    """Whether targets lie on the pixels of images, so that augmentation must move both."""
    pictured: ClassVar[str] = ""
    """Parts of the picture that shows a prediction; see `picture`. Empty where the sample itself is shown."""
    balances: ClassVar[bool] = False
    """Whether an epoch can have equally many samples of each class."""
    mixes: ClassVar[bool] = False
    """Whether augmentation may mix the classes of two samples."""
    several_labels: ClassVar[bool] = False
    """Whether a sample has several labels, of which splits give each part its share."""
    own_step: ClassVar[bool] = False
    """Whether the network's own training step makes loss and numbers, and nothing else is known of its outputs."""

    def metrics(self, classes: int) -> list[str]:
        """Return the names of the metrics that it has, in order, ``loss`` first.

        Args:
            classes: how many; 0 without classes.
        """
        raise NotImplementedError

    # ---- outputs and targets

    def places(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the places of a sample that each get an output; empty for one output a sample."""
        return ()

    def rows_at_once(self, sample_shape: tuple[int, ...]) -> int:
        """Return how many samples are evaluated at once."""
        return 1024

    def outputs(self, classes: int, targets: "Tensor") -> int:
        """Return how many outputs a network has for one sample (or for one position of it)."""
        return classes or 1

    def class_counts(self, targets: "Tensor", classes: int, weights: "Tensor | None" = None) -> list[float]:
        """Return how often each class occurs among targets, or the sum of the weights (n,); empty without classes.

        Of soft labels (n, classes) it is the sum of the shares.
        """
        if classes and targets.ndim == 2:
            shares = targets.double() if weights is None else targets.double() * weights.double().unsqueeze(1)
            sums: list[float] = shares.sum(dim=0).tolist()
            return sums
        counts: list[float] = targets.bincount(weights, minlength=classes).tolist() if classes else []
        return counts

    def lowest(self, targets: "Tensor") -> float:
        """Return the smallest of targets that are numbers; 0 for all others."""
        return 0.0

    def strata(self, targets: "np.ndarray") -> "np.ndarray | None":
        """Return the class (n,) of each sample that splits hold out in equal shares; None where there is none."""
        return None

    def unknown_targets(self, n: int, outputs: int) -> "Tensor":
        """Return stand-ins for the targets of `n` samples, whose targets nobody knows.

        Args:
            outputs: as of the network.
        """
        import torch

        return torch.zeros(n, dtype=torch.int64)

    def scale(
        self, targets: "Tensor", weights: "Tensor | None" = None
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and deviation of each of the training targets that are standardised; 0 and 1 for all others."""
        return (0.0,), (1.0,)

    def standardised(self, targets: "Tensor", data: "Dataset") -> "Tensor":
        """Return targets as the loss gets them."""
        return targets

    def label(self, target: "Tensor", class_names: Sequence[str]) -> str:
        """Return what is written below one sample: its class, or its numbers."""
        values = target.flatten().tolist()
        return class_names[values[0]] if class_names else ", ".join(f"{value:g}" for value in values)

    # ---- numbers of an epoch

    def weight_of(self, targets: "Tensor", weights: "Tensor | None") -> "Tensor | None":
        """Return how much a batch counts in a mean loss, a scalar; None where that is its number of samples."""
        import torch

        return None if weights is None else weights.sum(dtype=torch.float64)

    def noted(self, outputs: "Tensor", targets: "Tensor") -> "tuple[Tensor, Tensor]":
        """Return what is kept of a step of training for `step_scores`; nothing waits for the device."""
        return outputs, targets

    def step_scores(
        self, outputs: "Sequence[Tensor]", targets: "Sequence[Tensor]", weights: "Sequence[Tensor]"
    ) -> Iterable[float]:
        """Return what some steps of training add to the weighted sum behind the score; waits for the device once.

        Args:
            weights: of the samples of each step; empty if all count alike.
        """
        raise NotImplementedError

    def mean_score(self, share: float) -> float:
        """Return the score of training from the weighted mean of that sum over the samples."""
        return share

    def tally(self, threshold: float = 0.0) -> Tally:
        """Return what collects the answers of one pass over validation.

        Args:
            threshold: score from which on a label is given.
        """
        raise NotImplementedError

    # ---- evaluation

    def scores(self, scorer: "Scorer", outputs: "Iterable[Tensor]") -> "Tensor":
        """Return what an evaluation goes by, of all outputs of a split: scores (n, outputs), on the processor."""
        import torch

        from core.losses.base import exact_scores
        from core.tasks.joined import joined

        with torch.no_grad():
            return exact_scores(scorer, joined(outputs))

    def in_unit(self, scores: "Tensor", data: "Dataset") -> "Tensor":
        """Return scores on the processor, numbers in the target's own unit."""
        return scores.cpu()

    def values(
        self, predictions: "Predictions", wanted: Sequence[str], class_names: Sequence[str]
    ) -> dict[str, float]:
        """Return some of its metrics, NaN where one is undefined."""
        from core.evaluation.metric_values import metric_values

        return metric_values(predictions, wanted, class_names)

    def predictions(
        self, scores: "Tensor", samples: "Split", data: "Dataset", probabilities: bool
    ) -> "Predictions":
        """Return scores (n, outputs, ...) of all samples of a split beside the targets, both in the target's own unit.

        Args:
            probabilities: whether scores are probabilities of classes.
        """
        from core.evaluation.predictions import Predictions

        return Predictions(
            scores=self.in_unit(scores, data).numpy(),
            targets=samples.targets.numpy(),
            indices=samples.indices,
            weights=None if samples.weights is None else samples.weights.double().numpy(),
            probabilities=probabilities,
        )

    def decided(
        self, predictions: "Predictions", validation: "Callable[[], Predictions | None]", names: Sequence[str]
    ) -> "Predictions":
        """Return predictions with what was chosen on validation, such as thresholds.

        Args:
            validation: gives the predictions of validation; None where nothing is held out.
            names: of the classes or labels.
        """
        return predictions

    def evaluate(
        self,
        predictions: "Predictions",
        *,
        class_names: Sequence[str],
        split: str,
        seed: int,
        intervals: bool,
    ) -> "Report":
        """Return every metric of some predictions; see `core.tasks.evaluation.evaluate`."""
        raise NotImplementedError

    def worst(self, predictions: "Predictions", limit: int) -> "np.ndarray":
        """Return the positions of the worst predictions, the worst one first, at most `limit`."""
        raise NotImplementedError

    def columns(self, predictions: "Predictions", names: Sequence[str]) -> "list[tuple[str, np.ndarray]]":
        """Return what a file of predictions holds of each sample, by the names of its columns: (n,) each.

        Args:
            names: of the classes, the labels or several targets.
        """
        raise NotImplementedError

    def picture(
        self, predictions: "Predictions", position: int, image: "np.ndarray", classes: int
    ) -> "tuple[np.ndarray, str]":
        """Return a prediction as a picture, uint8 (height, width, 3), and how good it is, in words.

        Args:
            image: the sample, uint8 (height, width) or (height, width, 3).
        """
        raise NotImplementedError

    def constant(
        self,
        targets: "np.ndarray",
        weights: "np.ndarray | None",
        names: Sequence[str],
        shares: "np.ndarray | None" = None,
    ) -> "tuple[np.ndarray, str]":
        """Return the answer that suits the training targets best if all samples get the same one, and what it is.

        Args:
            targets, weights, shares: as `core.session.baselines.samples.LearntSamples` gives them.
            names: of the classes, the labels or several targets.
        """
        raise NotImplementedError
