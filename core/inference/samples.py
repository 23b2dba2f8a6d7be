"""The samples behind the predictions: loaded when first asked for, found again by their place in the source."""

from math import prod
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.arrays import as_pixels
from core.data.kinds.registry import Kind, kind_of
from core.data.kinds.shown import shown_columns, shown_fields, shown_sequence
from core.errors import DataError
from core.evaluation import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from torch import Tensor

    from core.data.dataset import Dataset, Progress
    from core.data.inputs import Fields, InputField

__all__ = ["Samples"]

MAX_KEPT = 64
"""Samples of a stream that are kept once they were read: those at the start of a list."""


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
        self._kept: dict[int, int] = {}
        self._few: Any = None

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
        if table is not None and not self._is_streamed:
            self._texts = table.rows(self._split, wanted)
        self._rows = rows

    def ready(self, positions: np.ndarray) -> bool:
        """Return whether the samples at the start of a list can be shown at once."""
        return self.loaded and (
            not self._is_streamed or self._kept.keys() >= {*positions[:MAX_KEPT].tolist()}
        )

    def read(self, positions: np.ndarray, progress: "Progress") -> None:
        """Load the data set unless it is, and of a stream the samples at the start of a list; not for the UI thread.

        Those of a stream are read in one pass; each of the others is when it is shown.

        Raises:
            TorchtuiError: as for `load`, or a sample cannot be read.
        """
        if not self.loaded:
            self.load(progress)
        if self.ready(positions):
            return
        assert self._rows is not None
        some = positions[:MAX_KEPT]
        table = self._dataset.table
        if table is None:
            few: Any = self._dataset.splits[self._split].inputs[self._rows[some]]
        else:
            few = table.rows(self._split, self._predictions.indices[some])
        self._few, self._kept = few, {position: at for at, position in enumerate(some.tolist())}

    @property
    def kind(self) -> Kind:
        """Kind of the samples; of those of several inputs that of the one that is shown."""
        if shown_sequence(self._dataset):
            return kind_of("tokens" if self._dataset.vocabulary else "signal")
        if shown_fields(self._dataset):
            return kind_of("table" if self._picture is None else "image")
        return kind_of(self._dataset.kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table, of one from a file those of the file; channels; inputs beside the one shown."""
        if sequence := shown_sequence(self._dataset):
            channels = self.kind.part_names(prod(sequence.shape[1:]))
            return (self.kind.name,) if self._dataset.vocabulary else channels
        if shown_fields(self._dataset):
            return tuple(field.label for field in self._others)
        return shown_columns(self._dataset)

    def row(self, position: int) -> list[str | float | np.ndarray]:
        """One sample in the order of `columns`: numbers, texts as they stand in a file, (time,) values of a channel."""
        if self._dataset.table is not None:
            return list(self._of_file(position).values())
        if shown_fields(self._dataset) and not shown_sequence(self._dataset):
            return [*self._texts_of(position)]
        if self.kind.shown == "text":
            return [self.text(position)]
        if self.kind.shown == "curves":
            return self._channels(position)
        return [float(value) for value in self._input(position)] if self.columns else []

    def text(self, position: int) -> str:
        """One text as it stands in its source, or the tokens of a sequence."""
        data = self._dataset
        if data.table is not None:
            row = self._of_file(position)
            return "\n".join(str(row[name] or "") for name in data.table.texts)
        if data.documents is not None:
            return data.documents.text(int(self._predictions.indices[position]))
        vocabulary = data.vocabulary
        if vocabulary is None:
            return ""
        if shown_sequence(data) is None:
            return vocabulary.texts(self._input(position))
        (ids,) = self._channels(position)
        return vocabulary.texts(np.asarray(ids))

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
        if self._dataset.fields or self.kind.shown != "picture":
            return None
        inputs, at = self._found(position)
        return cast("Tensor", inputs[at])

    def _found(self, position: int) -> "tuple[Any, int]":
        """Return inputs, and the place of a sample among them."""
        assert self._rows is not None
        kept = self._kept.get(position)
        if kept is not None:
            return self._few, kept
        return self._dataset.splits[self._split].inputs, int(self._rows[position])

    def _of_file(self, position: int) -> dict[str, Any]:
        """The columns of a row of a table, as they stand in its file."""
        if self._texts is not None:
            return self._texts.row(position, named=True)
        kept, table = self._kept.get(position), self._dataset.table
        assert table is not None
        if kept is None:
            return table.rows(self._split, self._predictions.indices[[position]]).row(0, named=True)
        found: dict[str, Any] = self._few.row(kept, named=True)
        return found

    def _input(self, position: int) -> np.ndarray:
        inputs, at = self._found(position)
        if self._picture is not None:
            from core.data.shown import field_picture

            return field_picture(cast("Fields", inputs), self._picture, at)
        values: np.ndarray = np.asarray(self._dataset.in_unit(inputs[at]).numpy())
        return values

    def _channels(self, position: int) -> "list[str | float | np.ndarray]":
        """The channels of a signal, (time,) each; the ids of a sequence."""
        if shown_sequence(self._dataset) is None:
            return [*self._input(position)]
        from core.data.shown import field_channels

        inputs, at = self._found(position)
        return [*field_channels(cast("Fields", inputs), at)]

    def _texts_of(self, position: int) -> list[str]:
        """The inputs of a sample beside its picture, as texts."""
        from core.data.shown import field_texts

        inputs, at = self._found(position)
        return field_texts(cast("Fields", inputs), self._others, at)

    @property
    def _is_streamed(self) -> bool:
        return bool(getattr(self._dataset.splits[self._split].inputs, "is_streamed", False))

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
