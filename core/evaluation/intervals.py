"""95 % bootstrap intervals of metrics (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993).

Metrics of the confusion matrix: its cells are resampled as one multinomial draw of n samples, which is the
bootstrap over samples, without touching a sample. All others: the means of their influences (see the module
``influence``) are resampled; with more than ``EXACT_UP_TO`` samples the normal limit of that bootstrap (Singh
1981) takes its place. Areas are resampled on the logit scale, to keep intervals within 0 to 1 (Pepe 2003).
"""

from collections.abc import Iterator

import numpy as np

from core.evaluation.classification import ClassCounts, averages
from core.evaluation.values import Floats, Integers

REPEATS = 1000
FEWEST_REPEATS = 200
DRAWS_PER_BLOCK = 2_000_000
MAX_DRAWS = 20_000_000
EXACT_UP_TO = 2000
PERCENTILES = (2.5, 97.5)
NORMAL_97_5 = 1.959963984540054

Interval = list[float]


def matrix_intervals(matrix: Integers, rng: np.random.Generator) -> dict[str, Interval]:
    """Intervals of all ``averages`` of a confusion matrix; with two classes also of the metrics of class 1.

    A class that a resample lost does not count in the macro means of that resample. Matrices with many filled
    cells get fewer repeats, ``FEWEST_REPEATS`` at least.
    """
    blocks = [_all_metrics(counts) for counts in _resampled_counts(matrix, rng)]
    resampled = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return {
        name: np.nanpercentile(values, PERCENTILES).tolist()
        for name, values in resampled.items()
        if not np.isnan(values).all()
    }


def share_interval(share: float, n: int, rng: np.random.Generator) -> Interval:
    """Interval of a share (0 to 1) of n samples."""
    resampled = rng.binomial(n, share, size=REPEATS) / n
    low, high = np.percentile(resampled, PERCENTILES).tolist()
    return [low, high]


def mean_offsets(influence: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
    """Return the range of the means of ``influence`` (m, metrics) over resamples: (2, metrics), low and high.

    ``weights`` (m,) says how many samples each row stands for; their sum is n.
    """
    n = weights.sum()
    if n > EXACT_UP_TO:
        error = np.sqrt(weights @ influence**2) / n
        return np.stack([-NORMAL_97_5 * error, NORMAL_97_5 * error])
    m = len(influence)
    drawn = rng.integers(0, m, size=(REPEATS, m)) + m * np.arange(REPEATS)[:, None]
    times = np.bincount(drawn.ravel(), minlength=REPEATS * m).reshape(REPEATS, m)
    return np.percentile(times @ influence / m, PERCENTILES, axis=0)


def shifted(value: float, offsets: Floats) -> Interval:
    """The interval of a metric without upper bound, kept at 0 or above."""
    return [max(0.0, value + offset) for offset in offsets.tolist()]


def shifted_on_logit(value: float, offsets: Floats) -> Interval:
    """The interval of a metric between 0 and 1; a point at 0 and at 1, where no resample differs."""
    if not 0 < value < 1:
        return [value, value]
    logit = np.log(value / (1 - value)) + offsets / (value * (1 - value))
    low, high = (1 / (1 + np.exp(-logit))).tolist()
    return [low, high]


def _resampled_counts(matrix: Integers, rng: np.random.Generator) -> Iterator[ClassCounts]:
    """Class counts (block, classes) of resampled matrices, block by block to bound memory."""
    true, predicted = np.nonzero(matrix)
    cells = matrix[true, predicted]
    repeats = int(np.clip(MAX_DRAWS // len(cells), FEWEST_REPEATS, REPEATS))
    block = max(1, DRAWS_PER_BLOCK // len(cells))
    classes = len(matrix)
    for done in range(0, repeats, block):
        draws = rng.multinomial(cells.sum(), cells / cells.sum(), size=min(block, repeats - done))
        right = true == predicted
        hits = np.zeros((len(draws), classes), dtype=np.int64)
        hits[:, true[right]] = draws[:, right]
        yield ClassCounts(hits, _sum_by(true, draws, classes), _sum_by(predicted, draws, classes))


def _sum_by(label: Integers, draws: Integers, classes: int) -> Integers:
    """Add up the columns of ``draws`` (repeats, cells) that share a label: (repeats, classes)."""
    order = np.argsort(label, kind="stable")
    present, starts = np.unique(label[order], return_index=True)
    sums = np.zeros((len(draws), classes), dtype=np.int64)
    sums[:, present] = np.add.reduceat(draws[:, order], starts, axis=1)
    return sums


def _all_metrics(counts: ClassCounts) -> dict[str, Floats]:
    metrics = averages(counts)
    if counts.support.shape[-1] == 2:
        for name in ("precision", "recall", "f1"):
            metrics[name] = getattr(counts, name)[..., 1]
    return metrics
