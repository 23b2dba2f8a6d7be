"""Intervals of metrics of the whole confusion matrix.

Cells are drawn as gamma variables, which makes their shares a Dirichlet draw: the bootstrap of Rubin, "The Bayesian
bootstrap" (1981). A matrix without mistakes would never get one that way. So for the low end one more mistake is
added somewhere, and for the high end one more hit; of accuracy, these are exactly the ends of Clopper and Pearson.
"""

from collections.abc import Iterator

import numpy as np

from core.evaluation.classification import ClassCounts, averages
from core.evaluation.intervals import LEVELS, Interval, unbiased, widened
from core.evaluation.values import Array, Floats, Integers

__all__ = ["matrix_intervals"]

REPEATS = 1000
FEWEST_REPEATS = 200
DRAWS_PER_BLOCK = 2_000_000
MAX_DRAWS = 20_000_000


def matrix_intervals(matrix: Array, rng: np.random.Generator) -> dict[str, Interval]:
    """Return the intervals of all ``averages`` of a confusion matrix.

    A class that a draw lost does not count in the macro means of that draw. Matrices with many filled cells get
    fewer draws, ``FEWEST_REPEATS`` at least.
    """
    found = averages(ClassCounts.of(matrix))
    low, plain = _drawn(matrix, rng, more_hits=False)
    high, _ = _drawn(matrix, rng, more_hits=True)
    return {
        name: _interval(float(value), low[name], high[name], plain[name])
        for name, value in found.items()
        if not (np.isnan(value) or np.isnan(low[name]).all() or np.isnan(high[name]).all())
    }


def _interval(value: float, low: Floats, high: Floats, plain: Floats) -> Interval:
    """Return the interval of a value from draws with a mistake more, with a hit more, and with neither."""
    ends = [float(np.nanquantile(low, LEVELS[0])), float(np.nanquantile(high, LEVELS[1]))]
    bias = 0.0 if np.isnan(plain).all() else float(np.nanmean(plain)) - value
    moved = unbiased(ends, bias)
    return widened(value, [max(min(ends[0], 0.0), moved[0]), min(1.0, moved[1])])


def _drawn(
    matrix: Array, rng: np.random.Generator, more_hits: bool
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the averages (draws,) of drawn matrices with one sample more, and without it."""
    blocks = []
    for counts in _drawn_counts(matrix, rng):
        plain = averages(counts)
        blocks.append((averages(_with_one_more(counts, rng, more_hits)), plain))
    more, plain = (
        {name: np.concatenate([block[part][name] for block in blocks]) for name in plain} for part in (0, 1)
    )
    return more, plain


def _drawn_counts(matrix: Array, rng: np.random.Generator) -> Iterator[ClassCounts]:
    """Class counts (block, classes) of drawn matrices, block by block to bound memory."""
    true, predicted = np.nonzero(matrix)
    cells = matrix[true, predicted]
    classes = len(matrix)
    repeats = int(np.clip(MAX_DRAWS // len(cells), FEWEST_REPEATS, REPEATS))
    block = max(1, DRAWS_PER_BLOCK // len(cells))
    for done in range(0, repeats, block):
        size = min(block, repeats - done)
        draws = rng.standard_gamma(cells, size=(size, len(cells)))
        right = true == predicted
        hits = np.zeros((size, classes))
        hits[:, true[right]] = draws[:, right]
        yield ClassCounts(hits, _sum_by(true, draws, classes), _sum_by(predicted, draws, classes))


def _with_one_more(counts: ClassCounts, rng: np.random.Generator, hit: bool) -> ClassCounts:
    """Add to each draw one sample of a random class: a hit, or a mistake for another random class."""
    draws, classes = counts.support.shape
    rows, weight = np.arange(draws), rng.standard_exponential(draws)
    true = rng.integers(0, classes, size=draws)
    predicted = true if hit else (true + rng.integers(1, classes, size=draws)) % classes
    counts.support[rows, true] += weight
    counts.predicted[rows, predicted] += weight
    if hit:
        counts.hits[rows, true] += weight
    return counts


def _sum_by(label: Integers, draws: Floats, classes: int) -> Floats:
    """Add up the columns of ``draws`` (repeats, cells) that share a label: (repeats, classes)."""
    order = np.argsort(label, kind="stable")
    present, starts = np.unique(label[order], return_index=True)
    sums = np.zeros((len(draws), classes))
    sums[:, present] = np.add.reduceat(draws[:, order], starts, axis=1)
    return sums
