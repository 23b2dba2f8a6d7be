"""Names of the metrics of epochs and evaluations, and which direction is better."""

from typing import Final, Literal, get_args

from core.errors import ConfigError

__all__ = [
    "COMPARED",
    "EPOCH_METRICS",
    "HEADLINES",
    "LABELS",
    "METRICS",
    "OF_CLASS",
    "EpochMetric",
    "Task",
    "check_monitor",
    "label_of",
    "lower_is_better",
]

Task = Literal["binary", "multiclass", "regression", "custom"]
"""The kind of target: two classes, more classes, a number, or whatever a network's own training_step makes of it."""

METRICS: Final = (
    *("loss", "accuracy", "balanced_accuracy", "mcc", "cohen_kappa"),
    *("log_loss", "ece", "brier", "top_5_accuracy"),
    *("precision", "precision_macro", "precision_micro", "precision_weighted"),
    *("recall", "recall_macro", "recall_micro", "recall_weighted"),
    *("f1", "f1_macro", "f1_micro", "f1_weighted"),
    *("roc_auc", "roc_auc_macro", "roc_auc_micro"),
    *("average_precision", "average_precision_macro", "average_precision_micro"),
    *("r2", "mae", "rmse", "mape"),
)
"""Every number of an epoch or an evaluation that can be compared."""
MINIMISED: Final = ("loss", "log_loss", "ece", "brier", "mae", "rmse", "mape")
"""Those of which less is better."""

HEADLINES: Final = ("accuracy", "f1_macro", "roc_auc_macro", "log_loss", "r2", "mae", "rmse")
"""Those of an evaluation that are shown where there is room for a few."""
COMPARED: Final = (
    *("accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "f1_weighted"),
    *("roc_auc_macro", "average_precision_macro", "log_loss", "r2", "mae", "rmse"),
)
"""Those of an evaluation that are printed, and that runs are compared by."""
OF_CLASS: Final = ("precision", "recall", "f1", "support", "roc_auc", "average_precision")
"""The numbers of each class of an evaluation."""

LABELS: Final = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "top_5_accuracy": "top 5 accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "precision_macro": "precision (macro)",
    "recall_macro": "recall (macro)",
    "f1_macro": "F1 (macro)",
    "f1_weighted": "F1 (weighted)",
    "roc_auc": "ROC AUC",
    "roc_auc_macro": "ROC AUC (macro)",
    "roc_auc_micro": "ROC AUC (micro)",
    "average_precision": "AP",
    "average_precision_macro": "AP (macro)",
    "average_precision_micro": "AP (micro)",
    "mcc": "MCC",
    "cohen_kappa": "Cohen's kappa",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error",
    "r2": "R2",
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
}
"""What people call the metrics of an evaluation, in the order in which they are read.

Of single labels micro precision, recall and F1 are the accuracy, and left out.
"""

EpochMetric = Literal["loss", "accuracy", "r2"]
EPOCH_METRICS: Final = get_args(EpochMetric)
"""Metrics that validation reports after each epoch; all others are known at the end of a run."""


def label_of(metric: str) -> str:
    """Return what people call a metric; of one that a script logged, its name."""
    return LABELS.get(metric, metric.replace("_", " "))


def lower_is_better(metric: str) -> bool:
    """Return whether a smaller value of a metric, or of a curve such as ``train loss``, is the better one."""
    last = metric.removesuffix(" by step").rpartition(" ")[2]
    return last in MINIMISED or last.endswith(("loss", "error"))


def check_monitor(monitor: EpochMetric, task: Task) -> None:
    """Refuse to choose epochs by a metric that validation does not give.

    A network with its own step reports what it likes: `core.training.own_step` checks those names.

    Raises:
        ConfigError: the metric does not exist for the task.
    """
    if task == "custom":
        return
    known = ("loss", "r2") if task == "regression" else ("loss", "accuracy")
    if monitor not in known:
        raise ConfigError(
            f"training.monitor: '{monitor}' is not measured in a {task} task",
            f"Takes {' or '.join(known)}",
            field="training.monitor",
        )
