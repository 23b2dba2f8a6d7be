"""Numbers, each standardised for the loss and given back in its own unit."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from core.losses.base import TargetKind, per_target
from core.metrics import OF_REGRESSION
from core.tasks.base import Tally, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.dataset import Dataset, Split
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report

__all__ = ["Regression"]


class Regression(Task):
    """Targets are floats (n, k)."""

    name = "regression"
    targets: ClassVar[TargetKind] = "numbers"
    called = "numbers"
    score = "r2"
    default_loss = "mse"
    views = ("summary", "residuals", "slices")
    headlines = ("r2", "mae")
    worst_first = "Largest errors"
    constant_name = "mean"

    def metrics(self, classes: int) -> list[str]:
        return list(OF_REGRESSION)

    def lowest(self, targets: "Tensor") -> float:
        return float(targets.min()) if len(targets) else 0.0

    def outputs(self, classes: int, targets: "Tensor") -> int:
        return targets.shape[1]

    def unknown_targets(self, n: int, outputs: int) -> "Tensor":
        import torch

        return torch.zeros((n, outputs))

    def scale(
        self, targets: "Tensor", weights: "Tensor | None" = None
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        means, stds = zip(*(_moments(column, weights) for column in targets.T.contiguous()), strict=True)
        return means, stds

    def standardised(self, targets: "Tensor", data: "Dataset") -> "Tensor":
        return (targets - per_target(data.target_mean, targets)) / per_target(data.target_std, targets)

    def step_scores(
        self, outputs: "Sequence[Tensor]", targets: "Sequence[Tensor]", weights: "Sequence[Tensor]"
    ) -> Iterable[float]:
        """Return the squared errors of each step, a mean over the targets."""
        import torch

        steps = zip_longest(outputs, targets, weights)
        errors: list[float] = torch.stack([_squares(*step) for step in steps]).tolist()
        return [error / wanted.shape[1] for error, wanted in zip(errors, targets, strict=True)]

    def mean_score(self, share: float) -> float:
        return 1 - share

    def tally(self, threshold: float = 0.0) -> Tally:
        from core.tasks.tallies import NumberTally

        return NumberTally()

    def in_unit(self, scores: "Tensor", data: "Dataset") -> "Tensor":
        numbers = scores.cpu().double()
        numbers = numbers * per_target(data.target_std, numbers) + per_target(data.target_mean, numbers)
        return numbers.squeeze(1) if numbers.shape[1] == 1 else numbers

    def predictions(
        self, scores: "Tensor", samples: "Split", data: "Dataset", probabilities: bool
    ) -> "Predictions":
        from core.evaluation.predictions import Predictions

        numbers, targets = self.in_unit(scores, data), samples.targets.double()
        return Predictions(
            scores=numbers.numpy(),
            targets=(targets.squeeze(1) if numbers.ndim == 1 else targets).numpy(),
            indices=samples.indices,
            weights=None if samples.weights is None else samples.weights.double().numpy(),
            probabilities=False,
        )

    def evaluate(
        self,
        predictions: "Predictions",
        *,
        class_names: Sequence[str],
        split: str,
        seed: int,
        intervals: bool,
    ) -> "Report":
        from core.evaluation.checks import check_numbers
        from core.evaluation.number_report import regression_report

        check_numbers(predictions, self.name, split)
        return regression_report(predictions, names=class_names, split=split, seed=seed, intervals=intervals)

    def worst(self, predictions: "Predictions", limit: int) -> "np.ndarray":
        """Return the largest errors; of several targets by the one that is largest beside the errors of its target."""
        import numpy as np

        from core.evaluation.regression import residuals

        errors = np.abs(residuals(predictions))
        if errors.ndim == 2:
            errors = (errors / np.maximum(errors.mean(axis=0), np.finfo(errors.dtype).tiny)).max(axis=1)
        return np.argsort(-errors, kind="stable")[:limit]

    def columns(self, predictions: "Predictions", names: Sequence[str]) -> "list[tuple[str, np.ndarray]]":
        """Return the true and the predicted number, of several targets those of each."""
        if predictions.scores.ndim == 1:
            return [("target", predictions.targets), ("predicted", predictions.scores)]
        pairs = zip(names, predictions.targets.T, predictions.scores.T, strict=True)
        return [
            (f"{what}_{name}", column)
            for name, *pair in pairs
            for what, column in zip(("target", "predicted"), pair, strict=True)
        ]

    def constant(
        self,
        targets: "np.ndarray",
        weights: "np.ndarray | None",
        names: Sequence[str],
        shares: "np.ndarray | None" = None,
    ) -> "tuple[np.ndarray, str]":
        """Return the mean of each target."""
        import numpy as np

        answer = np.average(targets, axis=0, weights=weights)
        if targets.ndim == 1:
            return answer, f"always {answer:.6g}"
        means = (f"{name} {value:.6g}" for name, value in zip(names, answer, strict=True))
        return answer, f"always {', '.join(means)}"


def _moments(column: "Tensor", weights: "Tensor | None") -> tuple[float, float]:
    """Return mean and deviation of a target (n,), by weights (n,) if there are any; 1 for no deviation."""
    if weights is None:
        return float(column.mean()), float(column.std(correction=0)) or 1.0
    numbers, shares = column.double(), weights.double() / weights.double().sum()
    mean = float(shares @ numbers)
    return mean, float((shares @ (numbers - mean).square()).sqrt()) or 1.0


def _squares(outputs: "Tensor", targets: "Tensor", weights: "Tensor | None") -> "Tensor":
    """Return the sum of squared errors (b, k) over a batch, each times the weight of its sample."""
    squares = (outputs - targets).square()
    return (squares if weights is None else squares * weights.unsqueeze(1)).sum()
