"""Several labels a sample, any of which may hold."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from core.losses.base import TargetKind
from core.metrics import OF_LABELS
from core.tasks.base import Tally, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.dataset import Dataset
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report

__all__ = ["Multilabel"]


class Multilabel(Task):
    """Targets are uint8 (n, labels), zeros and ones; a network has one output for each label."""

    name = "multilabel"
    targets: ClassVar[TargetKind] = "labels"
    called = "several labels a sample"
    score = "f1_micro"
    default_loss = "bce"
    views = ("summary", "labels", "roc", "pr", "threshold", "epochs", "calibration", "mistakes")
    headlines = ("f1_micro", "f1_macro", "subset_accuracy")
    worst_first = "Most wrong labels"
    class_columns = ("precision", "recall", "f1", "threshold", "support", "roc_auc", "average_precision")
    baseline = "frequent values"
    constant_name = "frequent labels"
    several_labels = True

    def metrics(self, classes: int) -> list[str]:
        return ["loss", *OF_LABELS]

    def class_counts(self, targets: "Tensor", classes: int, weights: "Tensor | None" = None) -> list[float]:
        """Return how many samples have each label, or the sum of their weights (n,)."""
        counts: list[float] = (
            targets.sum(dim=0) if weights is None else weights @ targets.to(weights.dtype)
        ).tolist()
        return counts

    def label(self, target: "Tensor", class_names: Sequence[str]) -> str:
        """Return the labels of a sample."""
        held = target.nonzero().flatten().tolist()
        return ", ".join(class_names[number] for number in held) or "no label"

    def unknown_targets(self, n: int, outputs: int) -> "Tensor":
        import torch

        return torch.zeros((n, outputs), dtype=torch.uint8)

    def standardised(self, targets: "Tensor", data: "Dataset") -> "Tensor":
        return targets.float()

    def step_scores(
        self, outputs: "Sequence[Tensor]", targets: "Sequence[Tensor]", weights: "Sequence[Tensor]"
    ) -> Iterable[float]:
        """Return micro F1 of each step times its samples: its mean over an epoch is about that of the epoch."""
        from core.tasks.label_scores import weighted_f1

        return weighted_f1(outputs, targets, weights)

    def tally(self, threshold: float = 0.0) -> Tally:
        from core.tasks.label_scores import LabelTally

        return LabelTally(threshold)

    def decided(
        self, predictions: "Predictions", validation: "Callable[[], Predictions | None]", names: Sequence[str]
    ) -> "Predictions":
        """Return predictions with the thresholds that give the highest F1 of each label on validation."""
        from dataclasses import replace

        from core.evaluation.multilabel.thresholds import choose_thresholds

        found = validation()
        if found is None:
            return predictions
        return replace(predictions, thresholds=choose_thresholds(found, names).values)

    def evaluate(
        self,
        predictions: "Predictions",
        *,
        class_names: Sequence[str],
        split: str,
        seed: int,
        intervals: bool,
    ) -> "Report":
        from core.evaluation.checks import check_labels
        from core.evaluation.multilabel.report import multilabel_report

        check_labels(predictions, self.name, len(class_names), split)
        names = [name.encode(errors="backslashreplace").decode() for name in class_names]
        return multilabel_report(predictions, class_names=names, split=split, seed=seed, intervals=intervals)

    def worst(self, predictions: "Predictions", limit: int) -> "np.ndarray":
        """Return the samples with most wrong labels."""
        from core.evaluation.multilabel.pairs import by_mistakes

        return by_mistakes(predictions, limit)

    def columns(self, predictions: "Predictions", names: Sequence[str]) -> "list[tuple[str, np.ndarray]]":
        """Return the true and the predicted labels, zeros and ones, and the score of each."""
        parts = {
            "target": predictions.targets,
            "predicted": predictions.predicted,
            "score": predictions.scores,
        }
        return [
            (f"{what}_{name}", column)
            for what, values in parts.items()
            for name, column in zip(names, values.T, strict=True)
        ]

    def constant(
        self,
        targets: "np.ndarray",
        weights: "np.ndarray | None",
        names: Sequence[str],
        shares: "np.ndarray | None" = None,
    ) -> "tuple[np.ndarray, str]":
        """Return the frequency of each label."""
        import numpy as np

        answer = np.average(targets, axis=0, weights=weights)
        held = [name for name, share in zip(names, answer, strict=True) if share >= 0.5]
        return answer, f"always {', '.join(held) or 'no label'}"
