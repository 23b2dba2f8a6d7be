"""Predictions of a model for every sample of a split, next to the targets."""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, RunDamaged
from core.evaluation.classification import predicted_classes
from core.evaluation.values import Array, Floats, Integers
from core.files.atomic import write_atomically
from core.files.reading import open_regular

# All that numpy and zipfile raise on files with missing, cut or flipped bytes.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores and targets of ``n`` samples.

    Args:
        scores: float32 or float64. Classification: (n, classes), higher means more likely.
            Regression: (n,), in the unit of the target; of several targets (n, k), each in its own. Segmentation: no
            scores, but the classes of all pixels, uint8 (n, height, width), as scores of each would take too much.
        targets: classification: int64 (n,), class numbers. Regression and segmentation: as scores. Multilabel:
            uint8 (n, labels), zeros and ones.
        indices: int64 (n,), position of each sample in its source.
        probabilities: True when the scores are probabilities (rows sum to one, but not those of labels), False for raw
            margins.
        thresholds: multilabel: float64 (labels,), the scores from which on a label is predicted; None for 0.5 of
            probabilities and 0 of margins. Two classes: float64 (1,), that of class 1; None where it counts from the
            higher score on.
        shares: soft labels: floats (n, classes), the share of each class, of which `targets` has the largest one.
        weights: float64 (n,), how much each sample counts; None if all count alike.
        groups: int64 (n,), the group of each sample, where samples of one are not independent; None if all are.

    Raises:
        DataError: kinds or shapes of the arrays do not fit together.
    """

    scores: Array
    targets: Array
    indices: Integers
    probabilities: bool
    thresholds: Array | None = None
    weights: Floats | None = None
    shares: Array | None = None
    groups: Integers | None = None

    def __post_init__(self) -> None:
        n = len(self.scores) if self.scores.ndim else 0
        numbers = self.targets.dtype.kind == "f"
        labels = self.targets.dtype == np.uint8 and self.targets.ndim == 2
        masks = self.has_masks and self.targets.shape == self.scores.shape and self.targets.dtype == np.uint8
        answers = (
            self.scores.ndim in (1, 2)
            and self.scores.dtype in (np.float32, np.float64)
            and self.targets.shape == (self.scores.shape if labels or numbers else (n,))
            and (labels or numbers or (self.targets.dtype == np.int64 and self.scores.ndim == 2))
        )
        fits = (
            (masks or answers)
            and self.indices.shape == (n,)
            and self.indices.dtype == np.int64
            and (self.weights is None or self.weights.shape == (n,))
            and (self.groups is None or self.groups.shape == (n,))
            and (self.shares is None or self.shares.shape == self.scores.shape)
        )
        if not fits:
            given = ", ".join(
                f"{name} {array.dtype} {array.shape}"
                for name, array in [
                    ("scores", self.scores),
                    ("targets", self.targets),
                    ("indices", self.indices),
                ]
            )
            raise DataError(
                f"predictions do not match each other: {given}",
                "Wanted: float32 or float64 scores (n, classes) with int64 targets (n,), or numbers with float targets "
                "of their shape, and int64 indices (n,)",
            )

    @classmethod
    def none(cls) -> "Predictions":
        """Return those of a network that answers nothing to a sample: of no samples."""
        return cls(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), False)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def truth(self) -> Array:
        """Return what a loss is measured against: targets, or shares of the classes (n, classes)."""
        return self.targets if self.shares is None else self.shares

    @property
    def has_numbers(self) -> bool:
        """Return whether numbers are predicted."""
        return self.targets.dtype.kind == "f"

    @property
    def target_count(self) -> int:
        """Return how many numbers are predicted of a sample."""
        return 1 if self.scores.ndim == 1 else self.scores.shape[1]

    def of_target(self, place: int) -> "Predictions":
        """Return those of one number, (n,), of several that are predicted."""
        if self.scores.ndim == 1:
            return self
        scores, targets = (np.ascontiguousarray(values[:, place]) for values in (self.scores, self.targets))
        return Predictions(scores, targets, self.indices, False, weights=self.weights, groups=self.groups)

    def rows(self, at: Integers) -> "Predictions":
        """Return those of the samples at some positions."""
        return replace(
            self,
            scores=self.scores[at],
            targets=self.targets[at],
            indices=self.indices[at],
            weights=None if self.weights is None else self.weights[at],
            shares=None if self.shares is None else self.shares[at],
            groups=None if self.groups is None else self.groups[at],
        )

    @property
    def has_classes(self) -> bool:
        """Return whether a class is predicted of each sample."""
        return self.scores.ndim == 2 and self.targets.ndim == 1

    @property
    def has_labels(self) -> bool:
        """Return whether targets are several labels a sample."""
        return self.targets.ndim == 2 and self.targets.dtype == np.uint8

    def positive(self, number: int) -> NDArray[np.bool_]:
        """Return which samples are of a class, or have a label, by its number: (n,)."""
        of_class: NDArray[np.bool_] = (
            self.targets[:, number] == 1 if self.has_labels else self.targets == number
        )
        return of_class

    @property
    def has_scores(self) -> bool:
        """Return whether there are scores; of masks the answers alone are kept."""
        return self.scores.dtype.kind == "f"

    @property
    def has_masks(self) -> bool:
        """Return whether scores and targets are masks: uint8 (n, height, width), the class of each pixel."""
        return self.scores.ndim == 3 and self.scores.dtype == np.uint8

    @property
    def used_thresholds(self) -> Array:
        """float64 (labels,): the scores from which on each label is predicted."""
        if self.thresholds is not None:
            return self.thresholds
        return np.full(self.scores.shape[1], 0.5 if self.probabilities else 0.0)

    @cached_property
    def predicted(self) -> Array:
        """int64 (n,): the class of each sample, see `predicted_classes`; of labels uint8 (n, labels)."""
        if self.has_masks:
            return self.scores
        if self.has_labels:
            return (self.scores >= self.used_thresholds).astype(np.uint8)
        return self.likeliest if self.thresholds is None else predicted_classes(self.scores, self.thresholds)

    @cached_property
    def likeliest(self) -> Integers:
        """int64 (n,): the class of the highest score of each sample, whatever the threshold of two classes."""
        return predicted_classes(self.scores)

    def save(self, path: Path) -> None:
        """Write everything to an uncompressed .npz file, whole or not at all.

        Raises:
            RunError: the file cannot be written.
        """
        arrays: dict[str, Array] = {
            "scores": self.scores,
            "targets": self.targets,
            "indices": self.indices,
            "probabilities": np.array(self.probabilities),
        }
        if self.thresholds is not None:
            arrays["thresholds"] = self.thresholds
        if self.weights is not None:
            arrays["weights"] = self.weights
        if self.shares is not None:
            arrays["shares"] = self.shares
        if self.groups is not None:
            arrays["groups"] = self.groups
        write_atomically(Path(path), lambda file: _write_arrays(file, arrays))

    @classmethod
    def load(cls, path: Path) -> "Predictions":
        """Read what ``save`` wrote. Checksums of the file show flipped bits.

        Raises:
            RunDamaged: the file is missing, cut, changed, or lacks an array.
        """
        try:
            with open_regular(path) as opened, np.load(opened, allow_pickle=False) as file:
                probabilities = file["probabilities"]
                if probabilities.shape != () or probabilities.dtype != np.bool_:
                    raise ValueError("probabilities is not one truth value")
                return cls(
                    file["scores"],
                    file["targets"],
                    file["indices"],
                    bool(probabilities),
                    thresholds=file.get("thresholds", None),
                    weights=file["weights"].astype(np.float64) if "weights" in file else None,
                    shares=file.get("shares", None),
                    groups=file.get("groups", None),
                )
        except (DataError, *_UNREADABLE) as error:
            raise RunDamaged(
                f"the predictions in {path} cannot be read ({error})",
                "Evaluate the run again to rewrite them",
            ) from error


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several models for different samples of one data set, one after the other."""

    def whole(of_parts: list[Array | None]) -> Array | None:
        known = [part for part in of_parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None

    return Predictions(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.indices for part in parts]),
        all(part.probabilities for part in parts),
        weights=whole([part.weights for part in parts]),
        shares=whole([part.shares for part in parts]),
        groups=whole([part.groups for part in parts]),
    )


def _write_arrays(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write an .npz file; unlike `numpy.savez`, leave no half-open archive behind when the disk is full."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
