"""What every data set lets one set."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.options import Options, Unit

__all__ = ["DataOptions", "ImageOptions"]


class DataOptions(Options):
    """Base of all data sets."""

    validation: Annotated[float, Field(ge=0, lt=1), Unit("part of train")] = 0.1
    """Part of the training data held out to choose the best epoch; 0 holds none out."""
    split_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the split; apart from the training seed, so that runs can be compared."""

    def available(self, root: Path) -> bool:
        """Whether `load` needs no download.

        Raises:
            DependencyError: a package it needs does not work.
        """
        return True

    def load(self, root: Path, progress: Progress) -> Dataset:
        """The data, split.

        Args:
            root: folder where downloaded data sets are kept.
            progress: told while a download goes on.

        Raises:
            DataError: it cannot be read, fetched or split.
            DependencyError: a package it needs does not work.
        """
        raise NotImplementedError


class ImageOptions(DataOptions):
    """Base of data sets of images."""

    scaling: Literal["standardise", "unit"] = "standardise"
    """How pixels are scaled: standardise to mean 0 and deviation 1 over train, or unit, from 0 to 1."""
