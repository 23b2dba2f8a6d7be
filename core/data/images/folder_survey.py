"""Facts of all images of a folder that is streamed: what the decoded images would say, without keeping these."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Progress
from core.data.images.decoding_job import DecodingFacts, DecodingJob, facts_in
from core.data.images.folder_listing import Listing
from core.errors import DataError
from core.files.reading import read_bytes
from core.files.temporary import hidden_folder, sync_file, sync_folder
from core.remedies import OTHER_DATA_ROOT

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Survey", "moments_of", "open_survey", "survey", "survey_file", "telling_failures"]


@dataclass(frozen=True)
class Survey:
    """Facts of the images of a folder.

    Attributes:
        size: (height, width) that they are brought to.
        sums: int64 (n, 2, channels): of the values of each image, and of their squares.
    """

    size: tuple[int, int]
    facts: DecodingFacts
    sums: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """That of one image: (channels, height, width)."""
        return (self.sums.shape[2], *self.size)

    def only_value(self, at: np.ndarray) -> int | None:
        """Return the value that all pixels of some images have; None where they have several."""
        pixels = self.size[0] * self.size[1]
        sums, squares = self.sums[at, 0], self.sums[at, 1]
        value = int(sums[0, 0]) // pixels
        is_only = bool((sums == value * pixels).all() and (squares == value * value * pixels).all())
        return value if is_only else None

    def moments(self, at: np.ndarray) -> "tuple[Tensor, Tensor]":
        """Return mean and deviation of each channel, (channels,), over some images: exactly those of decoded ones."""
        return moments_of(self.sums[at], self.size)


def moments_of(sums: np.ndarray, size: tuple[int, int]) -> "tuple[Tensor, Tensor]":
    """Return mean and deviation of each channel, (channels,), over images of which `Survey.sums` are given."""
    import torch

    total = len(sums) * size[0] * size[1]
    values, squares = torch.from_numpy(sums.sum(axis=0)).double()
    mean = values / total
    return mean, (squares / total - mean.square()).clamp(min=0).sqrt()


def survey_file(cache: Path) -> Path:
    """Return where the facts of a folder lie whose decoded images would lie in `cache`."""
    return cache.with_suffix(".npz")


def open_survey(path: Path) -> Survey | None:
    """Return what was found before; None where nothing was, or what is there is damaged."""
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as held:
            values = json.loads(held["facts"].tobytes())
            height, width = values.pop("size")
            return Survey((int(height), int(width)), facts_in(values), np.asarray(held["sums"], np.int64))
    except (OSError, ValueError, AttributeError, TypeError, KeyError, IndexError):
        return None


def survey(
    path: Path,
    listing: Listing,
    size: tuple[int, int],
    grey: bool,
    value_range: tuple[float, float] | None,
    progress: Progress,
) -> Survey:
    """Look at all images, and keep what `open_survey` reads; what was found of the folder before goes away.

    Args:
        size, grey, value_range: as images are decoded.

    Raises:
        DataError: the file cannot be written.
    """
    sums = np.zeros((len(listing.files), 2, 1 if grey else 3), np.int64)
    with telling_failures(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        found = DecodingJob(listing, size, grey, progress, sums=sums).run(value_range)
        text = json.dumps({"size": size, **asdict(found)}).encode()
        with hidden_folder(path.parent, ".decoding-") as folder:
            made, held = folder / path.name, io.BytesIO()
            np.savez(held, facts=np.frombuffer(text, np.uint8), sums=sums)
            made.write_bytes(held.getbuffer())
            sync_file(made)
            made.replace(path)
            sync_folder(path.parent)
        for old in path.parent.glob(f"{path.name.partition('-')[0]}-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)
    return Survey(size, found, sums)


@contextmanager
def telling_failures(folder: Path) -> Iterator[None]:
    """Context manager that says in one line why images cannot be decoded, or what is found of them not be kept."""
    try:
        yield
    except BrokenExecutor:
        raise DataError(
            "a process that decoded images was killed from outside, maybe because memory is full", "Try again"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot keep decoded images in {folder}: {error.strerror or error}",
            ("Free some space, or give ", OTHER_DATA_ROOT),
        ) from None
