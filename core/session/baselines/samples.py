"""The samples of a run as simple models take them: rows of numbers, targets and weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from core.config.schema import TrainConfig
from core.data.dataset import Dataset, Split
from core.data.mapped import MappedRows
from core.data.tables.plain_columns import PlainColumns, plain_columns
from core.losses.weights import balanced_weights

__all__ = ["LearntSamples", "why_none"]


@dataclass(frozen=True)
class LearntSamples:
    """LearntSamples that simple models learn from, and are evaluated on.

    Attributes:
        splits: names of those to evaluate, which have samples.
    """

    data: Dataset
    config: TrainConfig
    splits: tuple[str, ...]

    @property
    def classes(self) -> int:
        """Return how many classes there are; 0 for numbers."""
        return len(self.data.class_names)

    def encoded(self, split: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Return inputs as a network gets them, float32 (n, features): standardised, flat.

        Args:
            rows: positions to take; by default all.
        """
        held = self.data.splits[split].inputs
        at = slice(None) if rows is None else torch.from_numpy(rows)
        inputs = held[at].to(torch.float32)
        return ((inputs - self.data.mean) / self.data.std).flatten(1).numpy()

    @cached_property
    def plain(self) -> PlainColumns:
        """Return the columns as they are: of a table from a file with its categories and what is missing.

        Raises:
            DataError: the file has changed.
        """
        wanted = ("train", *self.splits)
        if self.data.table is None:
            values = {split: self.encoded(split) for split in wanted}
            return PlainColumns(values, (0,) * values["train"].shape[1])
        return plain_columns(self.data.table, {name: self.data.splits[name].indices for name in wanted})

    def targets(self, split: str) -> np.ndarray:
        """Return classes, int64 (n,), or numbers in their own unit, float64 (n,)."""
        targets = self.data.splits[split].targets
        return (targets if self.classes else targets.squeeze(1).double()).numpy()

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Return the weight of each training sample, float64 (n,), as training weighs them; None if all are equal."""
        data, loss = self.data, self.config.loss
        found = np.ones(len(data.train))
        if data.train.weights is not None:
            found *= data.train.weights.double().numpy()
        by_class = getattr(loss, "weights", None)
        of_classes = by_class(data.target_facts) if by_class is not None and self.classes else None
        balanced = self.config.training.sampling == "balanced" and self.classes
        for weights in (of_classes, balanced_weights(data.class_counts) if balanced else None):
            if weights is not None:
                found *= np.asarray(weights)[self.targets("train")]
        return None if (found == found[:1]).all() else found


def why_none(data: Dataset) -> str:
    """Return why no simple model can learn from this data; empty if some can."""
    if data.ids or not isinstance(data.train.inputs, Tensor | MappedRows):
        return "the inputs are not rows of numbers"
    return (
        ""
        if _has_one_answer(data.train, len(data.class_names))
        else "a sample does not have one class or number"
    )


def _has_one_answer(split: Split, classes: int) -> bool:
    targets = split.targets
    if classes:
        return targets.ndim == 1 and not targets.is_floating_point()
    return targets.is_floating_point() and targets.shape[1:] == (1,)
