"""The samples behind the predictions: loaded when first asked for, found again by their place in the source."""

from typing import TYPE_CHECKING

import numpy as np

from core.arrays import as_pixels
from core.data.kinds.registry import Kind, kind_of
from core.errors import DataError
from core.evaluation import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from core.data.dataset import Dataset, Progress, Split

__all__ = ["Samples"]


class Samples:
    """The samples of one evaluation, by their position in its predictions. Nothing works before `load`.

    Args:
        load_data: loads the data set that was evaluated.
    """

    def __init__(
        self, load_data: "Callable[[Progress], Dataset]", split: str, predictions: Predictions
    ) -> None:
        self._load_data, self._split, self._predictions = load_data, split, predictions
        self._loaded: Dataset | None = None
        self._rows: np.ndarray | None = None
        self._texts: pl.DataFrame | None = None

    @property
    def loaded(self) -> bool:
        """Return whether samples can be shown at once."""
        return self._rows is not None

    def load(self, progress: "Progress") -> None:
        """Load the data set and find the samples in it; not for the UI thread.

        Raises:
            TorchtuiError: it cannot be read, or it is not what was evaluated.
        """
        self._loaded = self._load_data(progress)
        samples = self._loaded.splits[self._split]
        wanted = self._predictions.indices
        order = np.argsort(samples.indices, kind="stable")
        place = np.searchsorted(samples.indices, wanted, sorter=order)
        rows = order[np.minimum(place, len(order) - 1)] if len(order) else np.empty(0, dtype=np.int64)
        if len(rows) != len(wanted) or not np.array_equal(samples.indices[rows], wanted):
            raise DataError(
                f"the {self._split} samples are not those that were evaluated: the data set has changed",
                "Evaluate the run again",
            )
        table = self._dataset.table
        if table is not None:
            self._texts = table.rows(self._split, wanted)
        self._rows = rows

    @property
    def kind(self) -> Kind:
        """Kind of the samples."""
        return kind_of(self._dataset.kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table; of one from a file those of the file."""
        table = self._dataset.table
        return table.columns if table is not None else self._dataset.feature_names

    def row(self, position: int) -> list[str | float]:
        """One row of a table: numbers, or of one from a file the texts that stand there."""
        if self._texts is not None:
            return list(self._texts.row(position))
        return [float(value) for value in self._input(position)]

    def text(self, position: int) -> str:
        """One text as it stands in its source, or the tokens of a sequence."""
        if self._texts is not None:
            row = self._texts.row(position, named=True)
            return (
                "\n".join(str(row[name] or "") for name in self._dataset.table.texts)
                if self._dataset.table
                else ""
            )
        data = self._dataset
        if data.documents is not None:
            return data.documents.text(int(self._predictions.indices[position]))
        vocabulary = data.vocabulary
        return vocabulary.texts(self._input(position)) if vocabulary is not None else ""

    def picture(self, position: int) -> np.ndarray:
        """One image as uint8 (h, w) or (h, w, 3), from black to white over the range of the data."""
        pixels = as_pixels(self._input(position), self._dataset.value_range)
        if len(pixels) == 3:
            return pixels.transpose(1, 2, 0)
        grey: np.ndarray = pixels[0]
        return grey

    def _input(self, position: int) -> np.ndarray:
        assert self._rows is not None
        split: Split = self._dataset.splits[self._split]
        values: np.ndarray = np.asarray(
            self._dataset.in_unit(split.inputs[int(self._rows[position])]).numpy()
        )
        return values

    @property
    def _dataset(self) -> "Dataset":
        assert self._loaded is not None
        return self._loaded
