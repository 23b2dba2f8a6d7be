"""The samples behind the predictions: loaded when first asked for, found again by their place in the source."""

from typing import TYPE_CHECKING, cast

import numpy as np

from core.arrays import as_pixels
from core.data.kinds.registry import Kind, kind_of
from core.data.kinds.shown import shown_columns, shown_fields
from core.errors import DataError
from core.evaluation import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from torch import Tensor

    from core.data.dataset import Dataset, Progress, Split
    from core.data.inputs import Fields, InputField

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
        """Kind of the samples; of those of several inputs that of the one that is shown."""
        if shown_fields(self._dataset):
            return kind_of("table" if self._picture is None else "image")
        return kind_of(self._dataset.kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table, of one from a file those of the file; channels; inputs beside the one shown."""
        if shown_fields(self._dataset):
            return tuple(field.label for field in self._others)
        return shown_columns(self._dataset)

    def row(self, position: int) -> list[str | float | np.ndarray]:
        """One sample in the order of `columns`: numbers, texts as they stand in a file, (time,) values of a channel."""
        if self._texts is not None:
            return list(self._texts.row(position))
        if shown_fields(self._dataset):
            return [*self._texts_of(position)]
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
        value_range = self._dataset.value_range if self._picture is None else self._picture.value_range
        pixels = as_pixels(self._input(position), value_range)
        if len(pixels) == 3:
            return pixels.transpose(1, 2, 0)
        grey: np.ndarray = pixels[0]
        return grey

    def image(self, position: int) -> "Tensor | None":
        """One image (channels, height, width) as a network gets it; None for samples of several inputs."""
        assert self._rows is not None
        inputs = self._dataset.splits[self._split].inputs
        if self._dataset.fields or self.kind.shown != "picture":
            return None
        return cast("Tensor", inputs[int(self._rows[position])])

    def _input(self, position: int) -> np.ndarray:
        assert self._rows is not None
        split: Split = self._dataset.splits[self._split]
        if self._picture is not None:
            from core.data.shown import field_picture

            return field_picture(cast("Fields", split.inputs), self._picture, int(self._rows[position]))
        values: np.ndarray = np.asarray(
            self._dataset.in_unit(split.inputs[int(self._rows[position])]).numpy()
        )
        return values

    def _texts_of(self, position: int) -> list[str]:
        """The inputs of a sample beside its picture, as texts."""
        assert self._rows is not None
        from core.data.shown import field_texts

        inputs = cast("Fields", self._dataset.splits[self._split].inputs)
        return field_texts(inputs, self._others, int(self._rows[position]))

    @property
    def _picture(self) -> "InputField | None":
        """The input that is shown as a picture."""
        from core.data.shown import picture_field

        return picture_field(shown_fields(self._dataset))

    @property
    def _others(self) -> "list[InputField]":
        return [field for field in shown_fields(self._dataset) if field is not self._picture]

    @property
    def _dataset(self) -> "Dataset":
        assert self._loaded is not None
        return self._loaded
