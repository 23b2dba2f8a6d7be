"""Division of whole groups, with about equal shares of each class where the groups allow it."""

from collections.abc import Sequence

import numpy as np

from core.errors import DataError

__all__ = ["divide_groups", "group_fold"]

MAX_BALANCED = 5000
"""Groups up to which each is put where it balances best; with more, chance does as well."""
MAX_CELLS = 5_000_000


def divide_groups(
    codes: np.ndarray, classes: np.ndarray | None, share: float, *, seed: int, field: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the kept and of the held-out samples, each in ascending order; no group is in both.

    Args:
        codes: (n,) group of each sample.
        classes: (n,) classes, or (n, k) zeros and ones; None for numbers. Kept samples have each class.
        share: part held out, in (0, 1).

    Raises:
        DataError: there are not enough groups.
    """
    part = _assign(codes, classes, (1 - share, share), seed, field)
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def group_fold(
    codes: np.ndarray,
    classes: np.ndarray | None,
    fold: int,
    folds: int,
    *,
    seed: int,
    names: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the kept samples and of those of one fold, from 1; no group is in two folds.

    Raises:
        DataError: there are fewer groups than folds, or a class that only this fold has.
    """
    count = len(np.unique(codes))
    if count < folds:
        raise DataError(
            f"data.folds: there are {count} groups to train on, fewer than {folds} folds", "Give fewer folds"
        )
    part = _assign(codes, classes, (1 / folds,) * folds, seed, "data.folds", keep_classes=False)
    held = part == fold - 1
    if classes is not None:
        lost = np.flatnonzero((_counts(classes, held) > 0) & (_counts(classes, ~held) == 0))
        if len(lost):
            name = names[int(lost[0])] if len(names) > lost[0] else str(lost[0])
            raise DataError(
                f"data.folds: all samples of class {name} are in groups of fold {fold}, none is left to train on",
                "Give fewer folds, or leave such classes out",
            )
    return np.flatnonzero(~held), np.flatnonzero(held)


def _counts(classes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Samples of each class among some."""
    if classes.ndim == 2:
        return np.asarray((classes[at] > 0).sum(axis=0))
    return np.bincount(classes[at], minlength=int(classes.max(initial=0)) + 1)


def _assign(
    codes: np.ndarray,
    classes: np.ndarray | None,
    shares: Sequence[float],
    seed: int,
    field: str,
    keep_classes: bool = True,
) -> np.ndarray:
    """The part, (n,), that each sample belongs to with its group."""
    unique, codes = np.unique(codes, return_inverse=True)
    if len(unique) < len(shares):
        raise DataError(
            f"{field}: {len(unique)} {'group is' if len(unique) == 1 else 'groups are'} left, and {len(shares)} splits "
            "need one each",
            "Give a column with more groups, or set data.group to nothing",
        )
    counts = _group_counts(codes, classes, len(unique))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(unique))
    if len(unique) > MAX_BALANCED:
        ends = np.cumsum(counts[order].sum(axis=1)) / counts.sum()
        of_group = np.empty(len(unique), np.int64)
        of_group[order] = np.searchsorted(np.cumsum(shares)[:-1], ends - 1e-12)
        return of_group[codes]
    order = order[np.argsort(-counts[order].std(axis=1) - counts[order].sum(axis=1), kind="stable")]
    pinned = _only_one(counts) if keep_classes and classes is not None else set()
    return _balanced(counts, order, shares, pinned, field)[codes]


def _group_counts(codes: np.ndarray, classes: np.ndarray | None, groups: int) -> np.ndarray:
    """Samples of each class in each group, float64 (groups, classes); of all classes together where they are none."""
    if classes is not None and classes.ndim == 2 and groups * classes.shape[1] <= MAX_CELLS:
        sums = np.zeros((groups, classes.shape[1]))
        np.add.at(sums, codes, (classes > 0).astype(np.float64))
        return sums[:, sums.any(axis=0)] + 1e-9
    if classes is not None and classes.ndim == 1:
        found, places = np.unique(classes, return_inverse=True)
        if groups * len(found) <= MAX_CELLS:
            cells = np.bincount(codes * len(found) + places, minlength=groups * len(found))
            return cells.reshape(groups, len(found)).astype(np.float64)
    return np.bincount(codes, minlength=groups).astype(np.float64)[:, None]


def _only_one(counts: np.ndarray) -> set[int]:
    """The groups that hold all samples of a class."""
    alone = np.flatnonzero((counts > 1e-6).sum(axis=0) == 1)
    return {int(np.argmax(counts[:, column])) for column in alone}


def _balanced(
    counts: np.ndarray, order: np.ndarray, shares: Sequence[float], pinned: set[int], field: str
) -> np.ndarray:
    """Put one group after the other, large and uneven ones first, where the shares of all classes stay most even.

    As scikit-learn's StratifiedGroupKFold does, for parts of any size.
    """
    wanted = np.outer(shares, counts.sum(axis=0))
    filled = np.zeros_like(wanted)
    held = np.zeros(len(shares), np.int64)
    part = np.full(len(counts), -1)
    if len(counts) - len(pinned) < len(shares) - 1:
        raise DataError(
            f"{field}: {len(pinned)} of {len(counts)} groups are the only ones of a class and must be trained on",
            "Give a column with smaller groups",
        )
    for place, group in enumerate(order.tolist()):
        left = len(counts) - place
        empty = np.flatnonzero(held == 0)
        if group in pinned:
            best = 0
        elif len(empty) and left - sum(other in pinned for other in order[place:].tolist()) <= len(
            empty[empty > 0] if pinned else empty
        ):
            best = int(empty[-1])
        else:
            after = np.repeat(filled[None], len(shares), axis=0)
            after[np.arange(len(shares)), np.arange(len(shares))] += counts[group]
            best = int(np.argmin((after / wanted).std(axis=1).sum(axis=1)))
        part[group] = best
        filled[best] += counts[group]
        held[best] += 1
    return _with_all_classes(part, counts) if pinned or len(shares) == 2 else part


def _with_all_classes(part: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The same, with a group of each class in the first part."""
    for column in range(counts.shape[1]):
        of_class = counts[:, column] > 1e-6
        if not (of_class & (part == 0)).any():
            part[np.flatnonzero(of_class)[0]] = 0
    return part
