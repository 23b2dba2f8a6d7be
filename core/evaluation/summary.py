"""All numbers of one model on one split."""

from collections.abc import Sequence

from core.evaluation.checks import check
from core.evaluation.class_report import classification_report
from core.evaluation.number_report import regression_report
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.metrics import Task


def evaluate(
    predictions: Predictions,
    *,
    task: Task,
    class_names: Sequence[str],
    split: str,
    seed: int = 0,
    intervals: bool = True,
) -> Report:
    """Every metric of some predictions, with the reason where one is undefined, a baseline and intervals.

    A macro mean is undefined where scikit-learn warns about a class or refuses: ``precision_macro`` if a
    class is never predicted, ``recall_macro`` if a class without samples is predicted, ROC AUC and average
    precision if a class has no samples. All other values are those of scikit-learn with default arguments.

    Args:
        predictions: scores and targets of all samples of the split.
        task: what the targets are. With two classes, class 1 is the positive one.
        class_names: the name of each class number; empty for regression.
        split: name of the split, used in the report and in reasons.
        seed: of the bootstrap.
        intervals: whether to compute the 95 % bootstrap intervals.

    Raises:
        DataError: there are no samples, scores or targets are NaN or infinite, or the arrays do not fit
            the task and the class names.
    """
    check(predictions, task, class_names, split)
    if task == "regression":
        return regression_report(predictions, split=split, seed=seed, intervals=intervals)
    # A folder name that is not UTF-8 becomes a class name that JSON cannot hold.
    names = [name.encode(errors="backslashreplace").decode() for name in class_names]
    return classification_report(
        predictions, task=task, class_names=names, split=split, seed=seed, intervals=intervals
    )
