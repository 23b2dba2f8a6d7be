"""Splits of samples with several labels each: every part gets about the same share of each label.

Iterative stratification of Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data" (2011). The
parts have exactly the sizes that are asked for.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from core.errors import DataError

__all__ = ["divide_labels", "fold_of_labels", "stratified_parts"]


def stratified_parts(labels: np.ndarray, sizes: Sequence[int], seed: int) -> np.ndarray:
    """Return the part of each sample, int64 (n,).

    Args:
        labels: (n, labels) zeros and ones.
        sizes: samples of each part; their sum is n.
    """
    rng = np.random.default_rng(seed)
    n = len(labels)
    held = [np.flatnonzero(row).tolist() for row in labels]
    shuffled = rng.permutation(n).tolist()
    samples_of: dict[int, list[int]] = defaultdict(list)
    for sample in shuffled:
        for label in held[sample]:
            samples_of[label].append(sample)
    left = {label: len(samples) for label, samples in samples_of.items()}
    room = list(sizes)
    wanted = [[left.get(label, 0) * size / n for label in range(labels.shape[1])] for size in sizes]
    part_of = [-1] * n
    tie = rng.random((n, len(sizes))).tolist()

    def put(sample: int, key: int | None) -> None:
        open_parts = [part for part, free in enumerate(room) if free]
        part = max(
            open_parts,
            key=lambda each: (0 if key is None else wanted[each][key], room[each], tie[sample][each]),
        )
        part_of[sample], room[part] = part, room[part] - 1
        for label in held[sample]:
            wanted[part][label] -= 1
            left[label] -= 1
            if not left[label]:
                del left[label]

    while left:  # the rarest label first: it has the fewest ways to be shared out
        rarest = min(left, key=lambda label: (left[label], label))
        for sample in samples_of[rarest]:
            if part_of[sample] < 0:
                put(sample, rarest)
    for sample in shuffled:
        if part_of[sample] < 0:
            put(sample, None)
    return np.array(part_of, dtype=np.int64)


def divide_labels(labels: np.ndarray, share: float, seed: int, field: str) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of the kept and of the held-out samples, each in ascending order.

    A label of a single sample stays among the kept.

    Args:
        labels: (n, labels) zeros and ones.
        share: part held out, in [0, 1); `field`: the configuration field that gave it, for the message.

    Raises:
        DataError: a side would have no samples.
    """
    n = len(labels)
    held = -int(-share * n // 1)  # as scikit-learn rounds a test size
    if share and not 0 < held < n:
        raise DataError(
            f"{field}: got {share:g} of {n:,} samples, which leaves a side empty", "Give another share"
        )
    part = stratified_parts(labels, [n - held, held], seed)
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def fold_of_labels(labels: np.ndarray, fold: int, folds: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of the kept samples and of those of one fold, each in ascending order.

    Args:
        fold: which one, from 1 to `folds`.

    Raises:
        DataError: there are more folds than samples.
    """
    n = len(labels)
    if n < folds:
        raise DataError(f"data.folds: there are only {n:,} samples for {folds} folds", "Give fewer folds")
    sizes = [n // folds + (each < n % folds) for each in range(folds)]
    part = stratified_parts(labels, sizes, seed)
    return np.flatnonzero(part != fold - 1), np.flatnonzero(part == fold - 1)
