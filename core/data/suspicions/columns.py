"""Columns of a data set as arrays, for the checks of its splits: of some of its samples, where there are many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.data.mapped import HeldRows, is_on_disk

if TYPE_CHECKING:
    import polars as pl

    from core.data.dataset import Dataset, Split
    from core.data.tables.values.reading import Reading

__all__ = ["Checked", "CheckedColumn", "RawRows", "checked"]

MAX_ROWS, MIN_ROWS = 20_000, 500
"""Training rows that are looked at, and at least, however many columns there are."""
MAX_CELLS = 20_000_000
HELD_SHARE = 0.5
"""Part of that number for validation and test together."""


@dataclass(frozen=True, eq=False)
class RawRows:
    """The rows of a table as they were read, kept until the splits are checked.

    Attributes:
        sources: of each split a table, all columns, and the positions in it of the rows of the split.
        readings: what each column holds.
        features: names of the columns that are learnt from.
        targets: names of the columns that are predicted.
    """

    sources: "Mapping[str, tuple[pl.DataFrame, np.ndarray]]"
    readings: "Mapping[str, Reading]"
    features: tuple[str, ...]
    targets: tuple[str, ...]

    def common(self, names: Sequence[str]) -> list[str]:
        """Return the columns of these names that the tables of all splits have."""
        return [name for name in names if all(name in frame.columns for frame, _ in self.sources.values())]


@dataclass(frozen=True, eq=False)
class CheckedColumn:
    """Values of a column in each split: float64 numbers or days, NaN where missing; int64 codes of texts, -1 so.

    Attributes:
        is_feature: whether it is learnt from.
        texts: of each code.
    """

    name: str
    kind: Literal["number", "date", "text"]
    values: Mapping[str, np.ndarray]
    is_feature: bool = True
    texts: Sequence[str] = ()

    @property
    def train(self) -> np.ndarray:
        """Values in train."""
        return self.values["train"]

    @property
    def held(self) -> np.ndarray:
        """Values in validation and test."""
        return np.concatenate([self.values["validation"], self.values["test"]])


@dataclass(frozen=True, eq=False)
class Checked:
    """Columns and targets of some samples of each split.

    Attributes:
        targets: of each split (n,) classes or numbers; None where a sample has several.
        classes: whether they are classes.
        sizes: of each split, all samples.
    """

    columns: Sequence[CheckedColumn]
    targets: Mapping[str, np.ndarray] | None
    classes: bool
    sizes: Mapping[str, int] = field(default_factory=dict)


def checked(data: "Dataset") -> Checked:
    """Return what there is to check of a data set."""
    width = len(data.raw.readings) if data.raw is not None else len(data.feature_names)
    rows = max(MIN_ROWS, min(MAX_ROWS, MAX_CELLS // max(1, width)))
    most = {"train": rows, "validation": int(HELD_SHARE * rows), "test": int(HELD_SHARE * rows)}
    places = {name: _some(len(split), most[name]) for name, split in data.splits.items()}
    columns: list[CheckedColumn] = []
    if data.raw is not None:
        columns = _of_frames(data.raw, places)
    elif data.feature_names and not is_on_disk(data.train.inputs):
        columns = _of_arrays(data, places)
    return Checked(
        columns,
        _targets(data, places),
        bool(data.class_names),
        {name: len(split) for name, split in data.splits.items()},
    )


def _some(count: int, most: int) -> np.ndarray:
    """Positions of evenly spaced samples."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)


def _targets(data: "Dataset", places: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    def of(split: "Split", at: np.ndarray) -> np.ndarray:
        values: np.ndarray = split.targets.numpy()[at]
        return values.reshape(len(values), int(np.prod(values.shape[1:])))

    found = {name: of(split, places[name]) for name, split in data.splits.items()}
    if found["train"].shape[1] != 1:
        return None
    return {name: values[:, 0] for name, values in found.items() if values.shape[1] == 1 or not len(values)}


def _of_frames(raw: RawRows, places: Mapping[str, np.ndarray]) -> list[CheckedColumn]:
    found = []
    for name, how in raw.readings.items():
        if name in raw.targets:
            continue
        series = {
            split: frame[name][at[places[split]]] if name in frame.columns else None
            for split, (frame, at) in raw.sources.items()
        }
        if how.kind == "text":
            texts, values = _codes(series)
        else:
            texts = ()
            values = {
                split: np.zeros(0) if each is None else each.to_numpy().astype(np.float64)
                for split, each in series.items()
            }
        found.append(CheckedColumn(name, how.kind, values, name in raw.features, texts))
    return found


def _codes(series: "Mapping[str, pl.Series | None]") -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Codes of texts, the same in all splits."""
    lists = {split: [] if each is None else each.to_list() for split, each in series.items()}
    texts = sorted({text for each in lists.values() for text in each if text is not None})
    places = {text: place for place, text in enumerate(texts)}
    values = {
        split: np.array([places.get(text, -1) for text in each], dtype=np.int64)
        for split, each in lists.items()
    }
    return tuple(texts), values


def _of_arrays(data: "Dataset", places: Mapping[str, np.ndarray]) -> list[CheckedColumn]:
    """Columns of samples that are rows of numbers; none where they are something else."""
    from torch import Tensor

    if not all(isinstance(split.inputs, Tensor | HeldRows) for split in data.splits.values()):
        return []
    if len(data.sample_shape) != 1 or data.sample_shape[0] != len(data.feature_names):
        return []
    rows = {
        name: split.inputs[places[name]].double().numpy().reshape(len(places[name]), len(data.feature_names))
        for name, split in data.splits.items()
    }
    return [
        CheckedColumn(name, "number", {split: values[:, place] for split, values in rows.items()})
        for place, name in enumerate(data.feature_names)
    ]
