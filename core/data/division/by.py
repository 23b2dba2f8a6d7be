"""Values that say which split samples belong to, beside chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["SPLITS", "ColumnValues", "Groups", "SplitBy", "groups_of", "is_absent"]

SPLITS = ("train", "validation", "test")
ABSENT = ("", "nan", "none", "null", "na")


@dataclass(frozen=True, eq=False)
class ColumnValues:
    """A column that splits are made by.

    Attributes:
        values: (n,) float64 numbers, NaN where one is missing; or texts, None where one is missing.
        dates: the numbers are days since 1970.
        source: where they come from, for reports.
    """

    values: np.ndarray
    dates: bool = False
    source: str = ""


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of samples that stay together.

    Attributes:
        codes: (n,) int64 number of the group of each sample, from 0.
        alone: samples without a group, each of which is one of its own.
    """

    codes: np.ndarray
    alone: int = 0

    def counted(self, at: np.ndarray) -> int:
        """Return how many groups some samples are of."""
        return len(np.unique(self.codes[at]))


@dataclass(frozen=True, eq=False)
class SplitBy:
    """Values of all samples that say which split they belong to; None where these were not asked for.

    Attributes:
        groups: (n) groups that stay in one split.
        times: (n,) float64, days since 1970 if `dated`.
        gap: time left out between splits, in the unit of `times`.
        assigned: (n,) position in `SPLITS`, -1 for a sample that is left out.
        notes: how the values were found and read, a line each.
        weights: (n,) float64, how much each sample counts, which does not say where it belongs.
    """

    groups: Groups | None = None
    times: np.ndarray | None = None
    dated: bool = False
    gap: float = 0.0
    assigned: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    weights: np.ndarray | None = None

    def __bool__(self) -> bool:
        return self.groups is not None or self.times is not None or self.assigned is not None

    def at(self, rows: np.ndarray) -> "SplitBy":
        """Return that of some samples."""
        return replace(
            self,
            groups=None if self.groups is None else Groups(self.groups.codes[rows]),
            times=None if self.times is None else self.times[rows],
            assigned=None if self.assigned is None else self.assigned[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


def is_absent(value: object) -> bool:
    """Return whether a value is missing."""
    return (
        value is None or (isinstance(value, float) and value != value) or str(value).strip().lower() in ABSENT
    )


def groups_of(values: np.ndarray | Sequence[object]) -> Groups:
    """Return the groups of equal values (n,); each sample without a value is a group of its own."""
    given = np.asarray(values)
    if given.dtype.kind in "fiub":
        absent = np.isnan(given) if given.dtype.kind == "f" else np.zeros(len(given), bool)
        keys = given
    else:
        keys = np.array([str(value) for value in given])
        absent = np.array([is_absent(value) for value in given], dtype=bool)
    codes = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    codes[absent] = codes.max(initial=0) + 1 + np.arange(int(absent.sum()))
    return Groups(_in_order(codes), int(absent.sum()))


def _in_order(codes: np.ndarray) -> np.ndarray:
    """Number codes (n,) in the order in which they first occur, however they were written."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    places = np.empty(len(first), np.int64)
    places[np.argsort(first)] = np.arange(len(first))
    return places[inverse]
