"""Test samples of another distribution than the training samples."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from core.data.suspicions.columns import Checked, CheckedColumn
from core.data.suspicions.duplicates import in_pieces, vectors

if TYPE_CHECKING:
    from core.data.dataset import Dataset

__all__ = ["shifts"]

LEVEL = 1e-4
"""Probability by chance, over all columns, below which a difference is reported."""
LEAST = 0.15
"""Distance of two distributions, from 0 to 1, from which on it matters."""
MIN_ROWS = 20
MAX_NAMES = 3
APART, MAX_TOLD = 0.7, 1000
"""AUC of a linear model that tells test from train from which on it matters, and samples of each that it looks at."""


def shifts(data: "Dataset", checked: Checked) -> Iterator[str]:
    """Report columns, the target, or all of them together, that are distributed otherwise in test than in train."""
    if len(data.test) < MIN_ROWS or len(data.train) < MIN_ROWS:
        return
    tests = [*(column for column in checked.columns if column.is_feature), *_light(data)]
    if checked.targets is not None and len(checked.targets.get("test", ())):
        values = checked.targets
        if not checked.classes:
            values = {name: each.astype(np.float64) for name, each in values.items()}
        tests.append(CheckedColumn("the target", "text" if checked.classes else "number", values))
    found = []
    for column in tests:
        distance, chance = (_varied if column.kind == "text" else _moved)(column.train, column.values["test"])
        if distance >= LEAST and chance * len(tests) < LEVEL:
            found.append((distance, column.name))
    advice = "numbers on it are about other samples than those that are trained on; data.split can mix them"
    if found:
        names = [name for _, name in sorted(found, reverse=True)]
        more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
        yield f"test is distributed otherwise than train in {', '.join(names[:MAX_NAMES])}{more}; {advice}"
        return
    area = _told_apart(data)
    if area >= APART:
        yield f"test differs from train: a linear model tells them apart with an AUC of {area:.2f}; {advice}"


def _light(data: "Dataset") -> list[CheckedColumn]:
    """Brightness and contrast of some images of train and test; of other samples nothing."""
    import torch

    if len(data.sample_shape) != 3 or not hasattr(data.train.inputs, "dtype"):
        return []
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in ("train", "test"):
        split = data.splits[name]
        at = torch.linspace(0, len(split) - 1, min(len(split), MAX_TOLD)).long().numpy()
        brightness, contrast = np.empty(len(at)), np.empty(len(at))
        for place, images in in_pieces(split, at):
            deviation, mean = torch.std_mean(images.flatten(1), dim=1)
            brightness[place], contrast[place] = mean.numpy(), deviation.numpy()
        found[name] = brightness, contrast
    none = {"validation": np.zeros(0)}
    return [
        CheckedColumn(name, "number", none | {split: values[place] for split, values in found.items()})
        for place, name in enumerate(("brightness", "contrast"))
    ]


def _moved(train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """Distance of Kolmogorov and Smirnov between numbers, and its probability by chance."""
    from scipy.stats import kstwobign

    lacking = np.isnan(train), np.isnan(test)
    varied = _varied(lacking[0].astype(np.int64), lacking[1].astype(np.int64))
    train, test = np.sort(train[~lacking[0]]), np.sort(test[~lacking[1]])
    if len(train) < MIN_ROWS or len(test) < MIN_ROWS:
        return varied
    both = np.concatenate([train, test])
    ranks = [np.searchsorted(each, both, "right") / len(each) for each in (train, test)]
    distance = float(np.abs(ranks[0] - ranks[1]).max())
    size = len(train) * len(test) / (len(train) + len(test))
    moved = distance, float(kstwobign.sf(distance * np.sqrt(size)))
    return min(varied, moved, key=lambda pair: pair[1] if pair[0] >= LEAST else 1)


def _varied(train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """Total variation between codes, and the probability by chance of their chi-square."""
    from scipy.stats import chi2

    if len(train) < MIN_ROWS or len(test) < MIN_ROWS:
        return 0.0, 1.0
    _, places = np.unique(np.concatenate([train, test]), return_inverse=True)
    counts = np.stack(
        [np.bincount(part, minlength=places.max() + 1) for part in np.split(places, [len(train)])]
    )
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    common = expected.min(axis=0) >= 5
    counts = np.concatenate([counts[:, common], counts[:, ~common].sum(axis=1, keepdims=True)], axis=1)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    square = float(((counts - expected) ** 2 / np.maximum(expected, 1)).sum())
    shares = counts / counts.sum(axis=1, keepdims=True)
    return float(np.abs(shares[0] - shares[1]).sum() / 2), float(chi2.sf(square, counts.shape[1] - 1))


def _told_apart(data: "Dataset") -> float:
    """AUC with which a linear model tells unseen test samples from training samples; 0.5 where it may be chance."""
    rows = vectors(data)
    if rows is None:
        return 0.5
    from scipy.special import ndtri
    from sklearn.linear_model import RidgeClassifier

    train, held = rows
    test = held[-min(len(held), min(len(data.test), MAX_TOLD)) :]
    rng = np.random.default_rng(0)
    train = train[rng.permutation(len(train))[:MAX_TOLD]]
    both = np.concatenate([train, test[rng.permutation(len(test))[:MAX_TOLD]]])
    is_test = np.arange(len(both)) >= len(train)
    order = rng.permutation(len(both))
    halves = order[::2], order[1::2]
    areas = []
    for learn, ask in (halves, halves[::-1]):
        if len(np.unique(is_test[learn])) < 2 or len(np.unique(is_test[ask])) < 2:
            return 0.5
        model = RidgeClassifier(alpha=10.0, class_weight="balanced").fit(both[learn], is_test[learn])
        scores, wanted = model.decision_function(both[ask]), is_test[ask]
        ranks = np.argsort(np.argsort(scores)) + 1
        n, m = int(wanted.sum()), int((~wanted).sum())
        areas.append((ranks[wanted].sum() - n * (n + 1) / 2) / (n * m))
    n, m = int(is_test.sum()), int((~is_test).sum())
    error = np.sqrt((n + m + 1) / (12 * n * m))
    area = float(np.mean(areas))
    return area if (area - 0.5) / error > -ndtri(LEVEL) else 0.5
