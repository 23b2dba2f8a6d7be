"""Explanations of metrics, for a user who asks what one is."""

from collections.abc import Mapping

from core.metrics import METRICS, label_of, lower_is_better
from tui.forms.guide.explain import Explanation

__all__ = ["of_metric"]

MEANINGS: Mapping[str, str] = {
    "loss": "What training minimises, averaged over samples. It compares only between runs with the same loss.",
    "accuracy": "Share of samples whose predicted class is the true one, 0 to 1. Where one class is frequent, always "
    "predicting it already reaches that class's share: compare with the baseline.",
    "balanced_accuracy": "Mean of the recalls of all classes, 0 to 1: each class counts the same, however rare it is.",
    "mcc": "Matthews correlation between predicted and true classes, -1 to 1; 0 is chance, however unequal the "
    "classes are.",
    "cohen_kappa": "Agreement of predicted and true classes beyond what chance gives, -1 to 1; 0 is chance.",
    "log_loss": "Mean of -log of the probability given to the true class, 0 or more. Punishes wrong predictions made "
    "with confidence.",
    "ece": "Expected calibration error, 0 to 1: how far confidence and accuracy lie apart, averaged over bins of "
    "confidence. Small samples and good models have a value above 0 by chance.",
    "brier": "Mean squared distance of the predicted probability from 0 or 1, 0 to 1.",
    "top_5_accuracy": "Share of samples whose true class is among the five with the highest scores, 0 to 1.",
    "subset_accuracy": "Share of samples all of whose labels are right, 0 to 1.",
    "hamming_loss": "Share of all labels that are wrong, 0 to 1.",
    "precision": "Of the samples predicted as positive, the share that is, 0 to 1. It falls with false alarms.",
    "recall": "Of the positive samples, the share that is found, 0 to 1. It falls with missed samples.",
    "specificity": "Of the negative samples, the share that is recognised as negative, 0 to 1.",
    "f1": "Harmonic mean of precision and recall, 0 to 1: high only if both are.",
    "roc_auc": "Area under the ROC curve, 0 to 1: how probably a positive sample scores higher than a negative one. "
    "0.5 is chance; it does not depend on a threshold.",
    "average_precision": "Average precision (AP), 0 to 1: precision averaged over all recalls. Its baseline is the "
    "share of positive samples.",
    "r2": "Share of the target's variance that the predictions explain; 1 is perfect, 0 is the mean of the target, "
    "and below 0 is worse than the mean.",
    "mae": "Mean absolute error, in the unit of the target.",
    "rmse": "Root of the mean squared error, in the unit of the target. Large errors weigh more than in MAE.",
    "mape": "Mean absolute error as a share of the true value. Undefined where true values are 0.",
    "pixel_accuracy": "Share of pixels whose predicted class is the true one, 0 to 1.",
    "iou": "Pixels that prediction and truth share, of all that either of them has (Jaccard index), 0 to 1.",
    "dice": "Twice the shared pixels, of the sum of both areas (F1 of pixels), 0 to 1.",
}
AVERAGES: Mapping[str, str] = {
    "macro": "Macro: the mean over classes, each counting the same.",
    "micro": "Micro: all classes' decisions pooled, so frequent classes count more.",
    "weighted": "Weighted: the mean over classes, each by its number of samples.",
    "samples": "Samples: computed for each sample's labels, then averaged.",
}


def of_metric(name: str, numbers: Mapping[str, str]) -> Explanation:
    """Explain a metric of an evaluation.

    Args:
        name: such as ``f1_macro``; the user's own metrics have no meaning here but their name.
        numbers: label and text of what is known of it, such as its value.
    """
    base, _, average = name.rpartition("_")
    if average not in AVERAGES:
        base, average = name, ""
    meaning = MEANINGS.get(base.removeprefix("mean_"), "A metric of your own code.")
    better = "lower" if lower_is_better(name) else "higher"
    facts = {label: text for label, text in numbers.items() if text}
    if name in METRICS:
        facts["better"] = better
        facts["name"] = name
    return Explanation(label_of(name), " ".join(filter(None, (meaning, AVERAGES.get(average)))), facts)
