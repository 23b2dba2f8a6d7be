"""Columns that give the target away alone, by their values or by where they are missing, or one class each."""

import warnings
from collections.abc import Iterator

import numpy as np

from core.data.suspicions.columns import Checked, CheckedColumn

__all__ = ["giveaways"]

MAX_ROWS = 4000
MIN_ROWS = 30
MAX_COLUMNS = 300
AUC, R2, ACCURACY = 0.998, 0.99, 0.985
"""Scores of one column alone from which on it gives the target away."""
MOST = 1 / 3
"""Part of the columns that may do so before the task counts as easy."""
EASY = 0.95
"""Score of all other columns together from which on one more that tells the target is nothing special."""
MAX_OTHERS = 100
MAX_CLASSES = 50
MAX_NAMES = 3
MAX_CODES, ROWS_PER_CODE = 50, 5
"""Different numbers of a column up to which they may be codes, and rows of each on average, at least."""


def giveaways(checked: Checked) -> Iterator[str]:
    """Report columns that alone are enough to tell the target in train; where many are, the task is easy."""
    if checked.targets is None:
        return
    targets = checked.targets["train"]
    features = [column for column in checked.columns if column.is_feature]
    if len(targets) < MIN_ROWS or len(features) < 2:
        return
    at = np.random.default_rng(0).permutation(len(targets))[:MAX_ROWS]
    targets = targets[at]
    if len(np.unique(targets)) < 2:
        return
    found = []
    for column in _promising(features, targets, at, checked.classes):
        values, is_text = column.train[at], column.kind == "text"
        score, by_missing = _best(values, targets, checked.classes, is_text)
        if score < 1 and not is_text and (codes := _codes(values)) is not None:
            score, by_missing = _best(codes, targets, checked.classes, coded=True)
        if score >= 1:
            found.append((column, by_missing))
    if not found and checked.classes:
        yield from _one_each(features, targets, at)
    if not found or len(found) > MOST * len(features):
        return
    given = {column.name for column, _ in found}
    others = [column for column in features if column.name not in given]
    if _is_easy(others, targets, at, checked.classes):
        return
    for column, by_missing in found:
        what = "whether it is missing" if by_missing else "its values"
        yield (
            f"{column.name} alone gives the target away, by {what}: is it known before the target is? "
            f"data.drop leaves it out"
        )


def _one_each(features: list[CheckedColumn], targets: np.ndarray, at: np.ndarray) -> Iterator[str]:
    """Report columns of two values that the target was split over: each tells one class, together all of them."""
    classes, places = np.unique(targets, return_inverse=True)
    if not 3 <= len(classes) <= MAX_CLASSES:
        return
    names: dict[int, str] = {}
    for column in features:
        different, codes = np.unique(column.train[at], return_inverse=True)
        if len(different) != 2:
            continue
        for value in (0, 1):
            inside = np.bincount(places[codes == value], minlength=len(classes))
            place = int(inside.argmax())
            if inside[place] >= ACCURACY * max(inside.sum(), (places == place).sum()):
                names.setdefault(place, column.name)
    if len(names) >= len(classes) - 1:
        listed = list(names.values())
        more = f" and {len(listed) - MAX_NAMES:,} more" if len(listed) > MAX_NAMES else ""
        yield (
            f"{', '.join(listed[:MAX_NAMES])}{more} give the target away, one class each: are they known before the "
            f"target is? data.drop leaves them out"
        )


def _codes(numbers: np.ndarray) -> np.ndarray | None:
    """Return the few numbers that a column holds as codes int64, -1 where missing; None where they are many.

    Numbers may stand for categories, whose order says nothing.
    """
    filled = ~np.isnan(numbers)
    different, codes = np.unique(numbers[filled], return_inverse=True)
    if not 3 <= len(different) <= min(MAX_CODES, filled.sum() / ROWS_PER_CODE):
        return None
    found = np.full(len(numbers), -1, np.int64)
    found[filled] = codes
    return found


def _is_easy(others: list[CheckedColumn], targets: np.ndarray, at: np.ndarray, classes: bool) -> bool:
    """Return whether a forest tells the target of unseen rows from these columns."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    rows = np.stack(
        [
            column.train[at].astype(np.float64)
            for column in _promising(others, targets, at, classes)[:MAX_OTHERS]
        ],
        axis=1,
    )
    rows = np.nan_to_num(rows, nan=-1e9)
    half = len(rows) // 2
    kind = ExtraTreesClassifier if classes else ExtraTreesRegressor
    told = kind(50, min_samples_leaf=2, random_state=0).fit(rows[:half], targets[:half]).predict(rows[half:])
    wanted = targets[half:]
    if classes:
        base = 1 - np.unique(wanted, return_counts=True)[1].max() / len(wanted)
        return bool(base > 0 and 1 - (told != wanted).mean() / base >= EASY)
    return bool(
        1 - np.square(wanted - told).sum() / max(np.square(wanted - wanted.mean()).sum(), 1e-300) >= EASY
    )


def _promising(
    features: list[CheckedColumn], targets: np.ndarray, at: np.ndarray, classes: bool
) -> list[CheckedColumn]:
    """The columns to look at: all, or of many numbers those whose ranks or means go with the target."""
    if len(features) <= MAX_COLUMNS:
        return features
    coded = targets.astype(np.float64)
    indicators = (
        (targets[:, None] == np.unique(targets)[None, :MAX_CLASSES]).astype(np.float64)
        if classes
        else coded[:, None]
    )
    indicators = indicators - indicators.mean(axis=0)
    scale = np.linalg.norm(indicators, axis=0) + 1e-12

    def strength(column: CheckedColumn) -> float:
        values = np.nan_to_num(column.train[at].astype(np.float64))
        values = values - values.mean()
        return float((np.abs(values @ indicators) / scale).max() / (np.linalg.norm(values) + 1e-12))

    return sorted(features, key=strength, reverse=True)[:MAX_COLUMNS]


def _best(values: np.ndarray, targets: np.ndarray, classes: bool, coded: bool) -> tuple[float, bool]:
    """How well values tell targets, 1 or more where they give them away, and whether it is by missing ones alone."""
    missing = values < 0 if coded else np.isnan(values)
    by_missing = 0.0
    if missing.any() and not missing.all():
        by_missing = _score(missing.astype(np.int64), targets, classes, coded=True)
        if by_missing >= 1:
            return by_missing, True
    if missing.all():
        return 0.0, False
    return max(by_missing, _score(values, targets, classes, coded)), False


def _score(values: np.ndarray, targets: np.ndarray, classes: bool, coded: bool) -> float:
    if not classes:
        return _r2(values, targets.astype(np.float64), coded) / R2
    if len(np.unique(targets)) == 2:
        return _auc(values, targets == targets.max(), coded) / AUC
    return _accuracy(values, targets, coded) / ACCURACY


def _learnt(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The mean of the numbers of each code in the first half, for each row of the second; else the mean of all."""
    half = len(values) // 2
    codes = values.astype(np.int64) + 1
    sums = np.bincount(codes[:half], weights=numbers[:half], minlength=int(codes.max()) + 1)
    counts = np.bincount(codes[:half], minlength=int(codes.max()) + 1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), numbers[:half].mean())
    return means[codes[half:]]


def _auc(values: np.ndarray, positive: np.ndarray, coded: bool) -> float:
    from scipy.stats import rankdata

    if coded:
        scores, positive = _learnt(values, positive.astype(np.float64)), positive[len(values) // 2 :]
    else:
        filled = ~np.isnan(values)
        if filled.mean() < 0.5:
            return 0.0
        scores, positive = values[filled], positive[filled]
    n, m = int(positive.sum()), int((~positive).sum())
    if n < 3 or m < 3:
        return 0.0
    area = (rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * m)
    return float(area if coded else max(area, 1 - area))


def _r2(values: np.ndarray, targets: np.ndarray, coded: bool) -> float:
    from scipy.stats import rankdata

    if coded:
        half = len(values) // 2
        left, total = targets[half:] - _learnt(values, targets), targets[half:] - targets[half:].mean()
        return float(1 - (left @ left) / max(total @ total, 1e-300))
    filled = ~np.isnan(values)
    if filled.mean() < 0.5 or filled.sum() < MIN_ROWS or len(np.unique(values[filled])) < 5:
        return 0.0
    values, targets = values[filled], targets[filled]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = [np.corrcoef(values, targets)[0, 1], np.corrcoef(rankdata(values), rankdata(targets))[0, 1]]
    return float(np.nanmax(np.square(found))) if np.isfinite(found).any() else 0.0


def _accuracy(values: np.ndarray, targets: np.ndarray, coded: bool) -> float:
    """Part of the mistakes of always telling the most frequent class that a column avoids, on rows not learnt from."""
    classes, targets = np.unique(targets, return_inverse=True)
    if len(classes) > MAX_CLASSES:
        return 0.0
    half = len(values) // 2
    base = 1 - np.bincount(targets[half:]).max() / (len(targets) - half)
    if base <= 0:
        return 0.0
    if coded:
        codes = values.astype(np.int64) + 1
        table = np.zeros((int(codes.max()) + 1, len(classes)))
        np.add.at(table, (codes[:half], targets[:half]), 1)
        told = table.argmax(axis=1)[codes[half:]]
    else:
        from sklearn.tree import DecisionTreeClassifier

        numbers = np.where(np.isnan(values), np.nanmin(values) - 1, values)[:, None]
        tree = DecisionTreeClassifier(max_leaf_nodes=max(8, 3 * len(classes)), random_state=0)
        told = tree.fit(numbers[:half], targets[:half]).predict(numbers[half:])
    return float(1 - (told != targets[half:]).mean() / base)
