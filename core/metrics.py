"""Names of the metrics of epochs and evaluations, which direction is better, and how their values are written."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

__all__ = [
    "COMPARED",
    "HEADLINES",
    "LABELS",
    "MEANS_OF_SAMPLES",
    "METRICS",
    "MINIMISED",
    "OF_CLASS",
    "OF_PROBABILITIES",
    "OF_TARGET",
    "OF_THRESHOLD",
    "PRINTED",
    "SAME_AS_ACCURACY",
    "UNKNOWN",
    "compared_metrics",
    "curve_label",
    "has_direction",
    "in_order",
    "is_own",
    "label_of",
    "lower_is_better",
    "name_of_metric",
    "nearest_metric",
    "number",
    "signed",
    "value_if_undefined",
]

METRICS: Final = (
    *("loss", "accuracy", "balanced_accuracy", "mcc", "cohen_kappa"),
    *("log_loss", "ece", "brier", "top_5_accuracy"),
    *("subset_accuracy", "hamming_loss"),
    *("precision", "precision_macro", "precision_micro", "precision_weighted", "precision_samples"),
    *("recall", "recall_macro", "recall_micro", "recall_weighted", "recall_samples"),
    "specificity",
    *("f1", "f1_macro", "f1_micro", "f1_weighted", "f1_samples"),
    *("roc_auc", "roc_auc_macro", "roc_auc_micro", "roc_auc_weighted"),
    *(
        "average_precision",
        "average_precision_macro",
        "average_precision_micro",
        "average_precision_weighted",
    ),
    *("r2", "mae", "rmse", "mape"),
    *("pixel_accuracy", "mean_iou", "mean_dice"),
)
"""Every number of an epoch or an evaluation that can be compared."""
MINIMISED: Final = ("loss", "hamming_loss", "log_loss", "ece", "brier", "mae", "rmse", "mape")
"""Those of which less is better."""
OTHER_MINIMISED: Final = (
    *("perplexity", "ppl", "nll", "bpb", "bpc", "wer", "cer", "eer", "fid", "mse", "msle", "smape", "nmse"),
    *("kl", "lpips", "chamfer", "hausdorff"),
)
"""Last words of common names of which less is better, as scripts log them."""
LOSSES: Final = ("loss", "losses", "error", "errors", "err")
"""Words anywhere in a name of which less is better, such as ``error_rate``, unless its last word is one of the next."""
OTHER_MAXIMISED: Final = (
    *("acc", "auc", "auroc", "auprc", "ap", "map", "iou", "miou", "dice", "f1", "f2", "r2", "score", "bleu"),
    *("rouge", "rouge1", "rouge2", "rougel", "meteor", "psnr", "ssim", "reward", "return", "kappa", "ndcg"),
    *("mrr", "correlation", "pearson", "spearman", "elbo"),
)
"""Last words of common names of which more is better."""

UNKNOWN: Final = "–"
"""Stands for a value that there is not."""
HEADLINES: Final = (
    *("accuracy", "subset_accuracy", "f1_micro", "f1_macro", "roc_auc_macro", "log_loss"),
    *("r2", "mae", "rmse", "mean_iou"),
)
"""Those of an evaluation that are shown where there is room for a few."""
OF_PROBABILITIES: Final = ("log_loss", "ece", "brier", "accuracy")
"""Those that show how much the probabilities of an evaluation can be relied on."""
OF_THRESHOLD: Final = ("precision", "recall", "f1", "specificity", "accuracy", "balanced_accuracy")
"""Those that show what the threshold of two classes does."""
OF_LABEL_THRESHOLDS: Final = (
    *("f1_micro", "f1_macro", "precision_micro", "recall_micro"),
    *("subset_accuracy", "hamming_loss"),
)
"""Those that show what the thresholds of labels do."""
MEANS_OF_SAMPLES: Final = ("accuracy", "balanced_accuracy", "log_loss", "brier", "mae", "rmse")
"""Those of an evaluation that add up over samples, whatever model gave which prediction; ranks of scores do not."""
MEANS_OF_CLASSES: Final = ("balanced_accuracy", "precision_macro", "recall_macro", "f1_macro")
"""Those of the confusion matrix in which each class counts alike, however few samples it has."""
COMPARED: Final = (
    *("accuracy", "balanced_accuracy", "subset_accuracy", "hamming_loss", "f1_micro"),
    *("precision_macro", "recall_macro", "f1_macro", "f1_weighted", "f1_samples"),
    *("roc_auc_macro", "average_precision_macro", "log_loss", "r2", "mae", "rmse"),
    *("pixel_accuracy", "mean_iou", "mean_dice"),
)
"""Those of an evaluation that are printed, and that runs are compared by."""
PRINTED: Final = (*COMPARED[:2], "precision", "recall", "specificity", "f1", *COMPARED[2:], "ece")
"""Those that are printed of one evaluation: with those of the positive class, where there is one, and calibration."""
OF_CLASS: Final = ("precision", "recall", "f1", "support", "roc_auc", "average_precision")
"""The numbers of each class of an evaluation."""
OF_TARGET: Final = ("r2", "mae", "rmse", "mape")
"""The numbers of each target of a regression of several."""

LABELS: Final = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "subset_accuracy": "subset accuracy",
    "hamming_loss": "Hamming loss",
    "top_5_accuracy": "top 5 accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "precision_micro": "precision (micro)",
    "recall_micro": "recall (micro)",
    "f1_micro": "F1 (micro)",
    "precision_macro": "precision (macro)",
    "recall_macro": "recall (macro)",
    "f1_macro": "F1 (macro)",
    "f1_weighted": "F1 (weighted)",
    "precision_samples": "precision (samples)",
    "recall_samples": "recall (samples)",
    "f1_samples": "F1 (samples)",
    "roc_auc": "ROC AUC",
    "roc_auc_macro": "ROC AUC (macro)",
    "roc_auc_micro": "ROC AUC (micro)",
    "roc_auc_weighted": "ROC AUC (weighted)",
    "average_precision": "AP",
    "average_precision_macro": "AP (macro)",
    "average_precision_micro": "AP (micro)",
    "average_precision_weighted": "AP (weighted)",
    "mcc": "MCC",
    "cohen_kappa": "Cohen's kappa",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error",
    "r2": "R2",
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "pixel_accuracy": "pixel accuracy",
    "mean_iou": "mean IoU",
    "mean_dice": "mean Dice",
    "iou": "IoU",
    "dice": "Dice",
}
"""What people call the metrics of an evaluation, in the order in which they are read.

Of single labels micro precision, recall and F1 are the accuracy; `in_order` leaves them out.
"""

OF_REGRESSION: Final = ("loss", "r2", "mae", "rmse", "mape")
OF_PIXELS: Final = ("loss", "pixel_accuracy", "mean_iou", "mean_dice")
OF_LABELS: Final = (
    *("subset_accuracy", "hamming_loss"),
    *("f1_micro", "f1_macro", "f1_weighted", "f1_samples"),
    *("precision_micro", "precision_macro", "precision_weighted", "precision_samples"),
    *("recall_micro", "recall_macro", "recall_weighted", "recall_samples"),
    *("roc_auc_micro", "roc_auc_macro", "roc_auc_weighted"),
    *("average_precision_micro", "average_precision_macro", "average_precision_weighted"),
)
"""Those of several labels a sample."""
OF_PREDICTED: Final = (
    *("accuracy", "balanced_accuracy", "subset_accuracy", "mcc", "cohen_kappa", "hamming_loss"),
    *("precision", "recall", "f1"),
)
"""Beginnings of the names of metrics that depend on predicted classes or labels alone, not on scores."""
SAME_AS_ACCURACY: Final = ("precision_micro", "recall_micro", "f1_micro")
"""Means that say something else than the accuracy of samples with several labels alone."""
LABELS_ALONE: Final = (
    *("subset_accuracy", "hamming_loss", "precision_samples", "recall_samples", "f1_samples"),
    *("roc_auc_weighted", "average_precision_weighted"),
)
"""Those that samples with one class do not have."""
OF_ONE_CLASS: Final = tuple(
    metric for metric in METRICS if metric not in {*OF_REGRESSION[1:], *LABELS_ALONE, *OF_PIXELS[1:]}
)
"""Those of samples with one class of any number of classes."""
OF_TWO_CLASSES: Final = (
    *("precision", "recall", "specificity", "f1"),
    *("roc_auc", "average_precision", "brier"),
)
"""Those that need a positive class, which is class 1 of two."""
TOP_K: Final = 5
"""Of the accuracy that counts a sample as right whose class is among so many with the highest scores."""
OF_MANY_CLASSES: Final = f"top_{TOP_K}_accuracy"


def label_of(metric: str) -> str:
    """Return what people call a metric; of one that a script logged, its name."""
    return LABELS.get(metric, metric.replace("_", " "))


def compared_metrics(metrics: Iterable[str]) -> list[str]:
    """Return those of some metrics that runs are compared by, also every one of the user's own."""
    return in_order(metrics, COMPARED)


def in_order(metrics: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return those of some metrics that are among the known ones, in their order, then those of the user's own."""
    names = list(metrics)
    if "accuracy" in names:
        names = [name for name in names if name not in SAME_AS_ACCURACY]
    return [name for name in known if name in names] + [name for name in names if _is_own_number(name)]


def _is_own_number(metric: str) -> bool:
    """Return whether a metric of an evaluation is the user's own, as is the loss that a network reports itself."""
    return metric not in METRICS or metric == "loss"


def lower_is_better(metric: str, own: Mapping[str, bool] | None = None) -> bool:
    """Return whether a smaller value of a metric, or of a curve such as ``train loss``, is the better one.

    Args:
        own: the user's own metrics by name, true where more is better; see `core.events.RunStarted`.
    """
    last = _metric_of(metric)
    if own and last in own:
        return not own[last]
    word = _word_of(last)
    if last in MINIMISED or word in OTHER_MINIMISED or last.endswith(("loss", "error")):
        return True
    return word not in OTHER_MAXIMISED and not set(LOSSES).isdisjoint(_words_of(last))


def has_direction(metric: str, own: Mapping[str, bool] | None = None) -> bool:
    """Return whether it is known if less or more of a metric, or of a curve, is better; see `lower_is_better`.

    Of a number that a script logs under a name of its own, such as ``grad_norm``, it is not.
    """
    last = _metric_of(metric)
    known = last in METRICS or (own is not None and last in own) or _word_of(last) in OTHER_MAXIMISED
    return known or lower_is_better(metric, own)


def curve_label(curve: str) -> str:
    """Return what people call a curve: ``validation F1 (macro)`` for ``validation f1_macro``."""
    split, _, metric = curve.partition(" ")
    by_step = " by step" if metric.endswith(" by step") else ""
    return f"{split} {label_of(metric.removesuffix(by_step))}{by_step}" if metric else label_of(split)


def _metric_of(curve: str) -> str:
    """The metric of a curve such as ``validation loss by step``."""
    plain = curve.removesuffix(" by step")
    split, _, metric = plain.partition(" ")
    return metric if split in ("train", "validation", "test") and metric else plain


def _word_of(metric: str) -> str:
    """The word that says what a metric is, in lower case: ``bleu`` for ``sacre_BLEU@4``, ``fid`` for ``FID score``."""
    words = _words_of(metric)
    if len(words) > 1 and words[-1] == "score" and words[-2] in OTHER_MINIMISED:
        return words[-2]
    return words[-1] if words else ""


def _words_of(metric: str) -> list[str]:
    return re.findall(r"[a-z]+[0-9]?", metric.partition("@")[0].lower())


def value_if_undefined(metric: str) -> float | None:
    """Return what a search takes for a metric that answers do not define, such as MCC if all are of one class.

    It is the worst value, 0; None for metrics without one.
    """
    bounded = metric in METRICS and metric not in MINIMISED and metric not in OF_REGRESSION
    return 0.0 if bounded else None


def is_own(metric: str) -> bool:
    """Return whether an entry of ``training.metrics`` is the user's own: FILE.py:NAME, not a name of `METRICS`."""
    return ":" in metric


def name_of_metric(metric: str) -> str:
    """Return the name under which an entry of ``training.metrics`` is reported."""
    return metric.rpartition(":")[2]


def nearest_metric(name: str, known: Sequence[str]) -> str:
    """Return what to write in place of a name that is not known."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}. Own ones: FILE.py:NAME"


def number(value: float | None, digits: int = 4) -> str:
    """Format a metric in at most ``digits + 2`` characters (and a sign), so that a changing value keeps its width.

    ``0.2573``, ``12.303``, ``1.2e-4``, ``1.23e6`` for 4 digits; integers that fit stay whole; ``–`` for None,
    ``NaN`` and ``∞`` for what is not finite. Rounding never makes some into all: 0.99996 is ``0.9999``.
    """
    if value is None or not math.isfinite(value):
        return _not_finite(value)
    room = digits + 2 + (value < 0)
    if isinstance(value, int) and len(str(value)) <= room:
        return str(value)
    value += 0.0  # minus zero becomes zero
    # Below this a fixed number would show fewer significant digits than one with an exponent.
    if value == 0 or abs(value) >= 10.0 ** -min(digits, 3):
        for decimals in range(digits, -1, -1):
            fixed = f"{value:.{decimals}f}"
            if len(fixed) <= room:
                return _beside_one(value, decimals) if abs(float(fixed)) == 1 != abs(value) else fixed
    exponent = f"e{int(f'{value:.0e}'.partition('e')[2])}"
    decimals = max(0, digits - len(exponent))
    mantissa, _, power = f"{value:.{decimals}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def _beside_one(value: float, decimals: int) -> str:
    """Format a number that would round to 1 or -1 as its neighbour on the side of the number."""
    step = 10.0**-decimals
    beside = 1 - step if abs(value) < 1 else 1 + step
    return f"{math.copysign(beside, value):.{decimals}f}"


def signed(difference: float, digits: int = 4) -> str:
    """Format a difference as `number` does: ``+0.0120``, ``-0.0120``, ``0.0000``."""
    return f"+{number(difference, digits)}" if difference > 0 else number(difference, digits)


def _not_finite(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if math.isnan(value):
        return "NaN"
    return "∞" if value > 0 else "-∞"
