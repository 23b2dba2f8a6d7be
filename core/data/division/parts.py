"""Positions of the splits of a data set: as given, then by time, by groups, or by chance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.data.division.by import SPLITS, SplitBy
from core.data.division.groups import divide_groups, group_fold
from core.data.division.times import divide_times, time_fold
from core.data.splits import divide, one_fold
from core.errors import DataError
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.data.options import DataOptions

__all__ = ["Division", "hold_out", "hold_out_fold", "split_parts"]

Halves = tuple[np.ndarray, np.ndarray]


class Division(NamedTuple):
    """Positions and groups of the samples of each split.

    Attributes:
        parts: positions of the samples of each split.
        groups: (n,) int64 group of each sample; None where samples were not divided by groups.
        weights: (n,) float64, how much each sample counts; None if all count alike.
        notes: how they were divided, a line each.
    """

    parts: dict[str, np.ndarray]
    groups: np.ndarray | None
    weights: np.ndarray | None
    notes: tuple[str, ...]


def hold_out(
    targets: np.ndarray,
    share: float,
    by: SplitBy,
    *,
    task: str,
    seed: int,
    field: str,
    names: Sequence[str] = (),
) -> Halves:
    """Return the positions of the kept and of the held-out samples, each in ascending order.

    Args:
        targets, share, field, names: see `core.data.splits.divide`.

    Raises:
        DataError: the share cannot be held out.
    """
    everything = np.arange(len(targets))
    if share == 0:
        return everything, everything[:0]
    if by.times is not None:
        kept, held = divide_times(by.times, share, by.gap, field=field)
        return _without_straddlers(kept, held, by, field), held
    if by.groups is not None:
        return divide_groups(by.groups.codes, task_of(task).strata(targets), share, seed=seed, field=field)
    return divide(targets, share, task=task, seed=seed, field=field, names=names)


def hold_out_fold(
    targets: np.ndarray,
    fold: int,
    folds: int,
    by: SplitBy,
    *,
    task: str,
    seed: int,
    names: Sequence[str] = (),
) -> Halves:
    """Return the positions of the kept samples and of those of one fold; see `core.data.splits.one_fold`.

    Folds in time are held out one after the other, each after what is trained on.

    Raises:
        DataError: the fold does not exist, or cannot be held out.
    """
    if folds > 1 and fold <= folds:
        if by.times is not None:
            kept, held = time_fold(by.times, fold, folds, by.gap)
            return _without_straddlers(kept, held, by, "data.folds"), held
        if by.groups is not None:
            classes = task_of(task).strata(targets)
            return group_fold(by.groups.codes, classes, fold, folds, seed=seed, names=names)
    return one_fold(targets, fold, folds, task=task, seed=seed, names=names)


def _without_straddlers(kept: np.ndarray, held: np.ndarray, by: SplitBy, field: str) -> np.ndarray:
    """Return the kept samples whose group is not among those that are held out, too.

    Raises:
        DataError: none is left.
    """
    if by.groups is None:
        return kept
    left = kept[~np.isin(by.groups.codes[kept], by.groups.codes[held])]
    if not len(left):
        raise DataError(
            f"{field}: each group has samples before and after the time of the split, so that none is left to train on",
            "Set data.group or data.time, not both",
        )
    return left


def _check_groups(options: "DataOptions", by: SplitBy, splits: int) -> None:
    """Make sure that there are groups for all splits.

    Raises:
        DataError: there are fewer.
    """
    if by.groups is None or by.times is not None:
        return
    count = len(np.unique(by.groups.codes))
    if count < splits:
        raise DataError(
            f"data.group: {options.group} has {count} groups, fewer than the {splits} splits",
            "Give a column with more groups, or fewer splits: data.validation=0 holds out none",
        )


def split_parts(
    options: "DataOptions",
    targets: np.ndarray,
    task: str,
    names: Sequence[str],
    by: SplitBy,
    *,
    test: float,
    validation: bool = True,
) -> dict[str, np.ndarray]:
    """Return the positions of the splits of samples with these targets.

    Args:
        test: share to hold out for the test; 0 where there is a test set apart.
        validation: false where there is a validation set apart.

    Raises:
        DataError: a split cannot be made, or two settings contradict each other.
    """
    parts: dict[str, np.ndarray] = {}
    rest = np.arange(len(targets))
    if by.assigned is not None:
        parts = {name: np.flatnonzero(by.assigned == place) for place, name in enumerate(SPLITS)}
        rest = parts.pop("train")
        parts = {name: at for name, at in parts.items() if len(at)}
        _refuse_contradictions(options, parts, test, validation)
    wanted = 1 + (test > 0 and "test" not in parts)
    wanted += validation and "validation" not in parts and (options.folds > 0 or options.validation > 0)
    _check_groups(options, by.at(rest), wanted)
    if test > 0 and "test" not in parts:
        kept, held = hold_out(
            targets[rest],
            test,
            by.at(rest),
            task=task,
            seed=options.split_seed,
            field="data.test",
            names=names,
        )
        parts["test"], rest = rest[held], rest[kept]
    if validation and "validation" not in parts:
        kept, held = options.hold_out(targets[rest], task, names, by.at(rest))
        parts["validation"], rest = rest[held], rest[kept]
    return {"train": rest, "validation": rest[:0], **({"test": rest[:0]} if test > 0 else {}), **parts}


def _refuse_contradictions(
    options: "DataOptions", parts: dict[str, np.ndarray], test: float, validation: bool
) -> None:
    given = options.split
    if "test" in parts and not test:
        raise DataError(
            f"data.split: {given} has a test split, and this data has a test set of its own",
            "Leave its test samples out of the split",
        )
    if "validation" in parts and (not validation or options.folds):
        setting = "data.folds holds out folds" if validation else "this data has a validation set of its own"
        raise DataError(
            f"data.split: {given} has a validation split, and {setting}",
            "Set data.folds to 0, or call its validation samples train",
        )
