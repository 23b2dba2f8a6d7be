"""Images of a folder that are decoded while a network trains, by worker processes, and kept nowhere."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.data.dataset import Dataset, Progress
from core.data.images.folder_listing import Listing
from core.data.images.folder_samples import dataset_of
from core.data.images.folder_survey import open_survey, survey, survey_file
from core.data.images.folder_tree import shown
from core.data.images.pictures import read_picture, reason
from core.data.stream.loader import workers_of
from core.data.stream.reader import BatchReader, Wanted
from core.data.stream.rows import StreamedRows
from core.errors import DataError, TorchtuiError
from core.torch_private import shared_empty

if TYPE_CHECKING:
    from core.data.images.image_folder import ImageFolder

__all__ = ["PictureReader", "streamed_folder"]


class PictureReader(BatchReader):
    """Decodes batches of images of a folder, uint8 (b, channels, height, width), as they are decoded into a file.

    Args:
        files: paths within `folder`, by the place of the sample.
        shape: of an image: (channels, height, width).
        value_range: what becomes black and white in images of more than 8 bits.
    """

    def __init__(
        self,
        folder: Path,
        files: Sequence[str],
        shape: tuple[int, int, int],
        value_range: tuple[float, float] | None,
    ) -> None:
        self.name = folder.name
        self._folder, self._files, self._shape, self._range = str(folder), files, shape, value_range
        self._at = 0

    def batch(self, task: Wanted) -> Any:
        channels, *size = self._shape
        pictures = shared_empty((len(task.places), *self._shape), torch.uint8)
        filled = pictures.numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities that do not stop a picture from being read
            for row, self._at in enumerate(task.places):
                path = f"{self._folder}/{self._files[self._at]}"
                picture = read_picture(path, (size[0], size[1]), grey=channels == 1, value_range=self._range)
                filled[row] = picture.pixels
        return pictures, None

    def told(self, error: BaseException) -> TorchtuiError:
        why = reason(error) if isinstance(error, Exception) else type(error).__name__
        return DataError(
            f"data.path: {shown(self._files[self._at])} cannot be read any more: {why}",
            "Put the file back as it was; a run is resumed where it stopped",
        )


def streamed_folder(
    listing: Listing,
    cache: Path,
    options: "ImageFolder",
    form: Callable[[], tuple[tuple[int, int], bool]],
    progress: Progress,
    why: str,
) -> Dataset:
    """Return the data set of a folder whose images are decoded each time that they are used.

    All are looked at once before, which finds what cannot be read, and their mean and deviation.

    Args:
        cache: the file that decoded images would lie in.
        form: (height, width) of images, and whether they are grey.
        why: a sentence on why they are streamed.

    Raises:
        DataError: as for `dataset_of`, or what was found cannot be kept.
    """
    file = survey_file(cache)
    found = open_survey(file)
    if found is None or len(found.sums) != len(listing.files):
        found = survey(file, listing, *form(), options.values(), progress)
    value_range = found.facts.value_range or options.values()
    rows = StreamedRows(
        reader=PictureReader(listing.folder, listing.files, found.shape, value_range),
        rows=np.arange(len(listing.files)),
        example=torch.zeros((1, *found.shape), dtype=torch.uint8),
        workers=workers_of(options),
    )
    data = dataset_of(listing, found, options, rows)
    return replace(data, notes=(why, *data.notes))
