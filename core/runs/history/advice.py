"""Plain-language notes when a run looks wrong, from what it has said so far."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from core.events import EpochFinished

__all__ = ["Advice", "advise"]

STALL_EPOCHS = 5
STALL_SHARE = 0.01
RISING_EPOCHS = 3
RISING_SHARE = 0.02
MAJORITY_EPOCHS = 3
MAJORITY_MARGIN = 0.01
RANKS = 0.55
"""An area under the ROC curve from which on scores tell classes apart."""
INFORMED = 0.98
"""Share of the entropy of the classes; a lower cross-entropy needs more than their frequencies."""

Advice = dict[str, str]
"""Kind of the note to its text; each kind is worth telling once."""


def advise(epochs: Sequence[EpochFinished], loss: str = "") -> Advice:
    """Return notes on what looks wrong after the epochs done, oldest first; empty if nothing does.

    Args:
        loss: name of the loss, where it is known.
    """
    best = epochs[-1].best_epoch if epochs else 0
    rules: dict[str, Callable[[Sequence[EpochFinished]], str]] = {
        "stalled": _stalled,
        f"over-fitting since {best}": _over_fitting,
        "one class": partial(_one_class, loss=loss),
    }
    return {kind: text for kind, rule in rules.items() if (text := rule(epochs))}


def _stalled(epochs: Sequence[EpochFinished]) -> str:
    """Training loss has hardly changed since the first epoch."""
    if len(epochs) < STALL_EPOCHS or epochs[0].epoch != 1:
        return ""
    first, last = epochs[0].train.get("loss", 0.0), epochs[-1].train.get("loss", 0.0)
    if not abs(first - last) < STALL_SHARE * abs(first):
        return ""
    return (
        f"training loss has hardly moved in {len(epochs)} epochs ({first:.4g} to {last:.4g}): "
        f"is the learning rate {epochs[-1].lr:g} too small, or far too large?"
    )


def _over_fitting(epochs: Sequence[EpochFinished]) -> str:
    """Validation loss rises while training loss falls."""
    recent = epochs[-RISING_EPOCHS - 1 :]
    if len(recent) <= RISING_EPOCHS or not recent[-1].validation:
        return ""
    validation = [epoch.validation.get("loss", 0.0) for epoch in recent]
    train = [epoch.train.get("loss", 0.0) for epoch in recent]
    best = recent[-1].best_metrics.get("loss", validation[0])
    if not (_rises(validation) and validation[-1] > best * (1 + RISING_SHARE) and train[-1] < train[0]):
        return ""
    return (
        f"validation loss rises while training loss falls; the best epoch was {recent[-1].best_epoch}: "
        "possible over-fitting. Try dropout, weight decay or early stopping (training.patience)"
    )


def _rises(values: Sequence[float]) -> bool:
    return all(before < after for before, after in pairwise(values))


def _one_class(epochs: Sequence[EpochFinished], loss: str) -> str:
    """The model does no better than always naming one class.

    Judged by the sum of the recalls, which is then 1: where one class is nearly all there is, accuracy hardly tells.
    Scores may still rank the samples, although none of a rare class reaches the threshold.
    """
    last = epochs[-1] if epochs else None
    if last is None or last.epoch < MAJORITY_EPOCHS or not last.confusion:
        return ""
    supports = [sum(row) for row in last.confusion]
    right = [row[place] for place, row in enumerate(last.confusion)]
    recalls = [found / support for found, support in zip(right, supports, strict=True) if support]
    if len(recalls) < 2 or sum(recalls) > 1 + MAJORITY_MARGIN * len(recalls):
        return ""
    ranks = _ranks(last, supports, loss)
    if ranks:
        return ""
    accuracy, majority = (f"{part / sum(supports):.3f}" for part in (sum(right), max(supports)))
    compared = "equals" if accuracy == majority else "is no better than"
    learned = "the model has learned nothing yet; try another learning rate"
    if ranks is None:
        learned = (
            "either the model has learned nothing yet, or only its threshold is wrong; "
            "ROC AUC in training.metrics tells which"
        )
    usual = f"always predicting the most frequent class ({majority})"
    return f"validation accuracy {accuracy} {compared} {usual}: {learned}"


def _ranks(epoch: EpochFinished, supports: Sequence[int], loss: str) -> bool | None:
    """Return whether the scores tell classes apart, by ROC AUC, or by a cross-entropy below that of the frequencies.

    None where neither is known.
    """
    areas = [value for name, value in epoch.validation.items() if name.startswith("roc_auc")]
    if max(areas, default=0.0) > RANKS:
        return True
    if loss != "cross_entropy":
        return False if areas else None
    shares = [support / sum(supports) for support in supports if support]
    entropy = -sum(share * math.log(share) for share in shares)
    return epoch.validation.get("loss", math.inf) < INFORMED * entropy
