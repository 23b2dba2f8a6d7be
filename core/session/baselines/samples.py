"""The samples of a run as simple models take them: rows of numbers, targets and weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.data.mapped import MappedRows
from core.data.tables.plain_columns import PlainColumns, plain_columns
from core.losses.base import TargetKind
from core.losses.weights import balanced_weights
from core.tasks.classes import likeliest
from core.tasks.registry import task_of

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
    def kind(self) -> TargetKind:
        """Return what the targets are."""
        return task_of(self.data.task).targets

    @property
    def classes(self) -> int:
        """Return how many classes a sample has one of; 0 for numbers and for labels of which any may hold."""
        return len(self.data.class_names) if self.kind == "classes" else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the classes, labels or several targets."""
        return self.data.class_names or self.data.target_names

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
        """Return classes, int64 (n,), or numbers in their own unit, float64 (n,), of several targets (n, k).

        Labels are uint8 (n, k), masks uint8 (n, height, width). Soft labels have the class of the largest share.
        """
        targets = self.data.splits[split].targets
        if self.kind == "classes":
            return likeliest(targets).numpy()
        if self.kind != "numbers":
            return targets.numpy()
        numbers = targets.double()
        return (numbers.squeeze(1) if numbers.shape[1] == 1 else numbers).numpy()

    def shares(self, split: str) -> np.ndarray | None:
        """Return soft labels, float64 (n, classes); None where a sample has one class."""
        return self.data.splits[split].targets.double().numpy() if self.data.soft else None

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
    """Return why no simple model learns from the inputs of this data; empty if some can.

    Whatever the inputs are, there is the model that always gives the same answer.
    """
    if data.is_streamed:
        return "the samples are read while the network trains, and simple models need all of them in memory"
    if data.ids or not isinstance(data.train.inputs, Tensor | MappedRows):
        return "the inputs are not rows of numbers"
    return ""
