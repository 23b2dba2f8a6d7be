"""Iterative stratification of samples with several labels."""

import numpy as np
import pytest

from core.data.label_splits import divide_labels, fold_of_labels, stratified_parts
from core.errors import DataError


def rare_labels(n: int = 500, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((n, 6)) < [0.5, 0.3, 0.1, 0.05, 0.02, 0.01]).astype(np.uint8)


def test_each_label_is_shared_out_as_the_samples_are() -> None:
    labels = rare_labels()
    kept, held = divide_labels(labels, 0.2, seed=0, field="data.test")
    assert len(held) == 100
    assert sorted([*kept, *held]) == list(range(500))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()
    wanted = 0.2 * labels.sum(axis=0)
    assert (np.abs(labels[held].sum(axis=0) - wanted) <= 1).all()
    at_random = [
        np.abs(labels[np.random.default_rng(seed).choice(500, 100, replace=False)].sum(axis=0) - wanted).max()
        for seed in range(20)
    ]
    assert np.median(at_random) > 3


def test_folds_hold_every_sample_once_and_each_label_alike() -> None:
    labels = rare_labels()
    folds = [fold_of_labels(labels, fold, 5, seed=3)[1] for fold in range(1, 6)]
    assert sorted(np.concatenate(folds)) == list(range(500))
    assert {len(fold) for fold in folds} == {100}
    counts = np.array([labels[fold].sum(axis=0) for fold in folds])
    assert (np.ptp(counts, axis=0) <= 2).all()
    kept, held = fold_of_labels(labels, 2, 5, seed=3)
    assert not {*kept} & {*held}
    assert len(kept) == 400


def test_the_seed_alone_decides() -> None:
    labels = rare_labels()
    first, again, other = (divide_labels(labels, 0.3, seed, "data.test")[1] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_a_label_of_one_sample_is_kept_and_samples_without_labels_fill_up() -> None:
    labels = np.zeros((20, 3), dtype=np.uint8)
    labels[7, 0] = 1
    labels[[1, 2], 1] = 1
    kept, held = divide_labels(labels, 0.25, 0, "data.validation")
    assert 7 in kept
    assert len(held) == 5
    assert len({1, 2} & {*held}) <= 1
    assert stratified_parts(labels, [20, 0], 0).tolist() == [0] * 20


def test_a_share_that_leaves_a_side_empty_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.test: got 0.9 of 1 samples"):
        divide_labels(np.ones((1, 2)), 0.9, 0, "data.test")
    with pytest.raises(DataError, match="only 3 samples for 4 folds"):
        fold_of_labels(np.ones((3, 2)), 1, 4, 0)
    assert len(divide_labels(np.ones((3, 2)), 0, 0, "data.test")[1]) == 0
