"""Parts that the tasks with one class a sample share."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from core.losses.base import TargetKind
from core.metrics import OF_MANY_CLASSES, OF_ONE_CLASS, OF_TWO_CLASSES, TOP_K
from core.tasks.base import Tally, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.dataset import Dataset, Split
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report

__all__ = ["ClassTask", "likeliest"]


class ClassTask(Task):
    """One class a sample; targets are int64 (n,), or soft labels: floats (n, classes), the share of each class."""

    targets: ClassVar[TargetKind] = "classes"
    called = "classes"
    score = "accuracy"
    default_loss = "cross_entropy"
    views: ClassVar[tuple[str, ...]] = (
        *("summary", "confusion", "roc", "pr", "threshold"),
        *("epochs", "calibration", "mistakes", "slices"),
    )
    headlines = ("accuracy",)
    worst_first = "Most confident mistakes"
    baseline = constant_name = "majority class"
    balances = mixes = True
    classes: ClassVar[int] = 0
    """So many it always has; 0 for any number."""

    def metrics(self, classes: int) -> list[str]:
        without = {*OF_TWO_CLASSES} if classes != 2 else set()
        without |= {OF_MANY_CLASSES} if classes <= TOP_K else set()
        return [metric for metric in OF_ONE_CLASS if metric not in without]

    def strata(self, targets: "np.ndarray") -> "np.ndarray":
        return targets if targets.ndim == 1 else targets.argmax(axis=1)

    def label(self, target: "Tensor", class_names: Sequence[str]) -> str:
        return class_names[int(likeliest(target.unsqueeze(0)))]

    def step_scores(
        self, outputs: "Sequence[Tensor]", targets: "Sequence[Tensor]", weights: "Sequence[Tensor]"
    ) -> Iterable[float]:
        """Return the number of correct answers, or the sums of their weights."""
        import torch

        from core.tasks.tallies import answers_of

        predicted, wanted = answers_of(torch.cat([*outputs])), likeliest(torch.cat([*targets]))
        right = predicted == wanted
        if not weights:
            return [int(right.sum())]
        parts = zip(right.split([len(known) for known in weights]), weights, strict=True)
        sums: list[float] = torch.stack([(part * known.double()).sum() for part, known in parts]).tolist()
        return sums

    def tally(self, threshold: float = 0.0) -> Tally:
        from core.tasks.tallies import ClassTally

        return ClassTally()

    def predictions(
        self, scores: "Tensor", samples: "Split", data: "Dataset", probabilities: bool
    ) -> "Predictions":
        targets = samples.targets
        hard = replace(samples, targets=likeliest(targets))
        found = super().predictions(scores, hard, data, probabilities)
        return found if targets.ndim == 1 else replace(found, shares=targets.double().numpy())

    def evaluate(
        self,
        predictions: "Predictions",
        *,
        class_names: Sequence[str],
        split: str,
        seed: int,
        intervals: bool,
    ) -> "Report":
        from core.evaluation.checks import check_classes
        from core.evaluation.class_report import classification_report

        check_classes(predictions, self.name, len(class_names), split, self.classes)
        # A folder name that is not UTF-8 becomes a class name that JSON cannot hold.
        names = [name.encode(errors="backslashreplace").decode() for name in class_names]
        return classification_report(
            predictions, task=self.name, class_names=names, split=split, seed=seed, intervals=intervals
        )

    def worst(self, predictions: "Predictions", limit: int) -> "np.ndarray":
        """Return the most confident mistakes."""
        from core.evaluation.mistakes import most_confident_mistakes

        return most_confident_mistakes(predictions, limit)

    def columns(self, predictions: "Predictions", names: Sequence[str]) -> "list[tuple[str, np.ndarray]]":
        """Return the true and the predicted class, and the score of each."""
        import numpy as np

        called = np.array([*names], dtype=object)
        answers = [("target", called[predictions.targets]), ("predicted", called[predictions.predicted])]
        scores = zip(names, predictions.scores.T, strict=True)
        return [*answers, *((f"score_{name}", column) for name, column in scores)]

    def constant(
        self,
        targets: "np.ndarray",
        weights: "np.ndarray | None",
        names: Sequence[str],
        shares: "np.ndarray | None" = None,
    ) -> "tuple[np.ndarray, str]":
        """Return the frequency of each class."""
        import numpy as np

        answer = np.average(np.eye(len(names))[targets] if shares is None else shares, 0, weights)
        return answer, f"always {names[int(answer.argmax())]}"


def likeliest(targets: "Tensor") -> "Tensor":
    """Return the class with the largest share (n,) of soft labels (n, classes), the first of equals; else classes."""
    return targets if targets.ndim == 1 else targets.argmax(dim=1)
