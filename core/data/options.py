"""Base of the options of all data sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.data.augment.options import Augment
from core.data.dataset import Dataset, Progress
from core.options import Options, Unit, files_of

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DataOptions", "HeldOut", "ImageOptions", "Scaling"]


class DataOptions(Options):
    """Base of all data sets."""

    validation: Annotated[float, Field(ge=0, lt=1), Unit("part of train")] = 0.1
    """Fraction of the training data held out to select the best epoch; 0 holds out none."""
    split_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the split; separate from the training seed, so that runs can be compared."""

    folds: Annotated[int, Field(ge=0, le=1000)] = 0
    """Number of cross-validation folds, one of which is held out; 0 holds out `validation` instead."""
    fold: Annotated[int, Field(ge=1, le=1000)] = 1
    """Which of the folds is held out; Cross-validation trains with each of them."""

    preparation: ClassVar[str] = "not downloaded yet; Start downloads it"
    """What there is to be said while `load` would take long."""

    @property
    def title(self) -> str:
        """Name in the names of runs and in messages."""
        files = (getattr(self, key) for key, field in type(self).model_fields.items() if files_of(field))
        return next((Path(file).stem for file in files if Path(file).stem), getattr(self, "name", ""))

    def available(self, root: Path) -> bool:
        """Return whether `load` needs no download or the like.

        Raises:
            DataError: it cannot be read.
            DependencyError: a package it needs does not work.
        """
        return True

    def load(self, root: Path, progress: Progress) -> Dataset:
        """The data, split.

        Args:
            root: folder where downloaded data sets are kept.
            progress: called during a download.

        Raises:
            DataError: it cannot be read, fetched or split.
            DependencyError: a package it needs does not work.
        """
        raise NotImplementedError

    def hold_out(
        self, targets: "np.ndarray", task: str, names: Sequence[str] = ()
    ) -> "tuple[np.ndarray, np.ndarray]":
        """Positions of the samples to train on, and of those held out for validation, among those with these targets.

        Raises:
            DataError: the share or the folds leave a class, or a side, without samples.
        """
        from core.data.splits import divide, one_fold

        if self.folds:
            return one_fold(targets, self.fold, self.folds, task=task, seed=self.split_seed, names=names)
        return divide(
            targets, self.validation, task=task, seed=self.split_seed, field="data.validation", names=names
        )


Scaling = Literal["standardise", "unit", "none"]


class ImageOptions(DataOptions):
    """Base of data sets of images."""

    scaling: Scaling = "standardise"
    """How inputs are scaled: to mean 0 and deviation 1 over train; unit, pixels from 0 to 1; none, as for tokens."""
    augment: Augment = ()
    """Changes to training samples: crop, flip, rotation, colour, randaugment, mixup, cutmix; as in crop:4, flip."""


class HeldOut(DataOptions):
    """Base of data sets without a test set of their own."""

    test: Annotated[float, Field(gt=0, lt=1), Unit("part of all")] = 0.2
    """Fraction of all samples kept for the single evaluation at the end."""

    def parts(self, targets: "np.ndarray", task: str, names: Sequence[str] = ()) -> "dict[str, np.ndarray]":
        """Positions of the three splits, for samples with these targets (n,) of classes with these names.

        Raises:
            DataError: a share leaves a class, or a side, without samples.
        """
        from core.data.splits import divide

        rest, test = divide(
            targets, self.test, task=task, seed=self.split_seed, field="data.test", names=names
        )
        kept, held_out = self.hold_out(targets[rest], task, names)
        return {"train": rest[kept], "validation": rest[held_out], "test": test}
