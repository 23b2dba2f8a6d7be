"""Base of the options of all data sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from core.data.augment.options import Augment
from core.data.dataset import Dataset, Progress
from core.data.positive import as_class
from core.options import Options, Unit, files_of

if TYPE_CHECKING:
    import numpy as np

    from core.data.division.by import SplitBy
    from core.data.division.parts import Division

__all__ = ["DataOptions", "HeldOut", "ImageOptions", "ScalingName", "TargetColumns"]


def _as_text(value: Any) -> Any:
    """Return a number that is meant as a text, such as 7, as one."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def _one_or_several(value: Any) -> Any:
    """Take a list of one name for this name, and an empty one for none."""
    if isinstance(value, list | tuple) and len(value) < 2:
        return value[0] if value else ""
    return value


TargetColumns = Annotated[str | tuple[str, ...], BeforeValidator(_one_or_several)]
"""The name of a column, or the names of several."""


class DataOptions(Options):
    """Base of all data sets."""

    validation: Annotated[float, Field(ge=0, lt=1), Unit("of the training data")] = 0.1
    """Fraction of the training data held out to select the best epoch; 0 holds out none."""
    split_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the split; separate from the training seed, so that runs can be compared."""

    group: str = ""
    """What keeps samples together in one split, such as a column of patients, or a file with a value a sample."""
    time: str = ""
    """When samples were taken: train comes before validation, and validation before test; a column, or a file."""
    gap: Annotated[str, BeforeValidator(_as_text)] = ""
    """Time left out between splits by time, such as 7 days or 12 h; a number where times are numbers."""
    split: str = ""
    """Splits that are given: a column of train, validation and test, or a file that lists the samples of each."""
    weight: str = ""
    """How much each sample counts in losses and metrics: a column or array, or a file with a number a sample."""
    folds: Annotated[int, Field(ge=0, le=1000)] = 0
    """Number of cross-validation folds, one of which is held out; 0 holds out `validation` instead."""
    fold: Annotated[int, Field(ge=1, le=1000)] = 1
    """Which of the folds is held out; Cross-validation trains with each of them."""

    positive: Annotated[str, BeforeValidator(as_class)] = "auto"
    """Positive class of two, by its name; auto: the one that names make clear, such as fraud, else the later one."""

    MODEL: ClassVar[str] = "mlp"
    """Model of a configuration that names none; see `model_for`."""
    KNOWN: ClassVar[bool] = False
    """Its samples are known to everyone: the checks of its splits wait until the first epoch is over."""
    preparation: ClassVar[str] = "not downloaded yet; Start downloads it"
    """What there is to be said while `load` would take long."""

    @classmethod
    def model_for(cls, fields: Mapping[str, Any]) -> str:
        """Return the model of a configuration that names none, for data with these fields, unchecked as given."""
        return cls.MODEL

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
        self, targets: "np.ndarray", task: str, names: Sequence[str], by: "SplitBy"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """Positions of the samples to train on, and of those held out for validation, among those with these targets.

        Raises:
            DataError: the share or the folds leave a class, or a side, without samples.
        """
        from core.data.division.parts import hold_out, hold_out_fold

        seed = self.split_seed
        if self.folds:
            return hold_out_fold(targets, self.fold, self.folds, by, task=task, seed=seed, names=names)
        return hold_out(
            targets, self.validation, by, task=task, seed=seed, field="data.validation", names=names
        )

    def divided(
        self, targets: "np.ndarray", task: str, names: Sequence[str] = (), *, own_test: bool = False
    ) -> "Division":
        """The splits of samples without columns beside, for arguments see `parts`.

        Raises:
            DataError: a share leaves a class, or a side, without samples, or a file does not fit the samples.
        """
        from core.data.division.facts import division_notes
        from core.data.division.files import SampleNames
        from core.data.division.parts import Division
        from core.data.division.read import read_split_by

        by = read_split_by(self, SampleNames(len(targets)))
        parts = self.parts(targets, task, names, by, own_test=own_test)
        groups = None if by.groups is None else by.groups.codes
        return Division(parts, groups, by.weights, tuple(division_notes(self, by, parts)))

    def parts(
        self,
        targets: "np.ndarray",
        task: str,
        names: Sequence[str],
        by: "SplitBy",
        *,
        own_test: bool = False,
        own_validation: bool = False,
    ) -> "dict[str, np.ndarray]":
        """Positions of the splits, for samples with these targets (n,) of classes with these names.

        Args:
            own_test, own_validation: there is such a set beside these samples.

        Raises:
            DataError: a share leaves a class, or a side, without samples.
        """
        from core.data.division.parts import split_parts

        test = 0.0 if own_test else getattr(self, "test", 0.0)
        return split_parts(self, targets, task, names, by, test=test, validation=not own_validation)


ScalingName = Literal["standardise", "unit", "none"]


class ImageOptions(DataOptions):
    """Base of data sets of images."""

    scaling: ScalingName = "standardise"
    """How inputs are scaled: to mean 0 and deviation 1 over train; unit, pixels from 0 to 1; none, as for tokens."""
    augment: Augment = ()
    """Changes to images: crop, flip, rotation, colour, randaugment, mixup, cutmix; to signals: noise, shift, mask."""


class HeldOut(DataOptions):
    """Base of data sets without a test set of their own."""

    test: Annotated[float, Field(gt=0, lt=1), Unit("of all samples")] = 0.2
    """Fraction of all samples kept for the single evaluation at the end."""
