"""Weights of samples: how much each counts in losses, metrics and the statistics of targets."""

from dataclasses import replace
from typing import Any

import numpy as np

from core.data.dataset import Dataset
from core.errors import DataError
from core.tasks.registry import task_of

__all__ = ["as_weights", "settle_weights"]

GIVEN = "Give each sample a number that says how much it counts: 0 or more"


def as_weights(values: np.ndarray, place: str) -> np.ndarray:
    """Return weights as float64 (n,).

    Args:
        values: (n,) as they were given.
        place: where they stand, for messages.

    Raises:
        DataError: they are not numbers of 0 or more, or all 0.
    """
    try:
        weights = (values if values.ndim == 1 else values[:, 0]).astype(np.float64)
    except (TypeError, ValueError):
        text = next((value for value in values.ravel().tolist() if not _is_number(value)), "")
        raise DataError(f"{place}: got '{text}', which is not a number", GIVEN) from None
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        first, others = int(np.argmax(wrong)), int(wrong.sum()) - 1
        more = f", and {others:,} more are wrong" if others else ""
        raise DataError(f"{place}: sample {first} has {weights[first]:g}{more}", GIVEN)
    if len(weights) and not weights.any():
        raise DataError(f"{place}: all are 0", GIVEN)
    return weights


def settle_weights(data: Dataset, asked: str) -> Dataset:
    """Return data in which all splits have weights, or none has.

    Samples of a split without weights count alike; the targets are standardised by the weights.

    Args:
        asked: what the weights are called in the configuration; empty if it names none.

    Raises:
        DataError: weights were asked for, and the data has none; or those of a split are all 0.
    """
    import torch

    found = [name for name, split in data.splits.items() if split.weights is not None]
    if not found:
        if asked:
            raise DataError(
                f"data.weight: got '{asked}', but this data takes no weights of samples", "Leave it empty"
            )
        return data
    notes = []
    splits: dict[str, Any] = {}
    for name, split in data.splits.items():
        weights = split.weights
        if weights is None:
            weights = torch.ones(len(split), dtype=torch.float64)
            if len(split):
                notes.append(f"weights: the {name} samples have none, and count alike")
        elif len(split) and not bool(weights.any()):
            raise DataError(
                f"data.weight: the weights of all {len(split):,} {name} samples are 0",
                "Give some of them weight, or another data.split_seed",
            )
        splits[name] = replace(split, weights=weights.double())
    train = splits["train"]
    mean, std = task_of(data.task).scale(train.targets.double(), train.weights)
    by = asked or "the weights given with the samples"
    notes.insert(0, f"weights: samples count by {by} in losses and metrics")
    return replace(
        data, **splits, target_mean=mean, target_std=std, weight_name=by, notes=(*data.notes, *notes)
    )


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
