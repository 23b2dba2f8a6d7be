"""Arrays as a user gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.data.arrays.structured import FieldArrays

__all__ = ["Given", "Pair"]

Pair = tuple["np.ndarray | FieldArrays", np.ndarray]
"""(n, ...) inputs, or the fields of n samples, and n targets."""


@dataclass(frozen=True)
class Given:
    """Arrays as a user gave them, for training and maybe for validation and test.

    Attributes:
        source: where they come from, and `names`: what inputs and targets are called there; for messages.
        class_names: of classes numbered from 0, where they are known.
        feature_names: of the columns of a table, where they are known.
        notes: how the arrays were found, a line each.
        weights: how much each sample counts, (n,), of the splits that were given with them.
        columns: (n,) values of the training samples by name, which splits may be made by.
        owned: nothing else uses the training inputs, which may be rearranged where they lie.
    """

    train: Pair
    validation: Pair | None = None
    test: Pair | None = None
    source: str = "data"
    names: tuple[str, str] = ("inputs", "targets")
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    owned: bool = False

    @property
    def inputs_place(self) -> str:
        """Where the training inputs stand, for messages."""
        return f"data.path: {self.source}, {self.names[0]}"

    @property
    def targets_place(self) -> str:
        """Where the training targets stand, for messages."""
        return f"data.path: {self.source}, {self.names[1]}"
