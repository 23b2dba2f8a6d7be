"""The samples behind the predictions: loaded when first asked for, found again by their place in the source."""

from typing import TYPE_CHECKING

import numpy as np

from core.arrays import as_pixels
from core.data.kinds.registry import Kind, kind_of
from core.data.kinds.shown import shown_columns
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
        """The columns of a table, of one from a file those of the file; the channels of signals."""
        return shown_columns(self._dataset)

    def row(self, position: int) -> list[str | float | np.ndarray]:
        """One sample in the order of `columns`: numbers, texts as they stand in a file, (time,) values of a channel."""
        if self._texts is not None:
            return list(self._texts.row(position))
        if self.kind.shown == "text":
            return [self.text(position)]
        if self.kind.shown == "curves":
            return list(self._input(position))
        return [float(value) for value in self._input(position)] if self.columns else []

    def text(self, position: int) -> str:
        """One text as it stands in its source, or the tokens of a sequence."""
        data = self._dataset
        if self._texts is not None and data.table is not None:
            row = self._texts.row(position, named=True)
            return "\n".join(str(row[name] or "") for name in data.table.texts)
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
