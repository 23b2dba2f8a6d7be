"""Columns that repeat another one: its logarithm, square or root, or groups of its texts."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

__all__ = ["derived_columns", "follows"]

SAME = 0.999
"""Correlation from which a column is a function of another."""
MIN_ROWS = 5
NAME = re.compile(
    r"(?:log|ln|l|sqrt|sq)[ _.]?(?P<ends>.+)|(?P<starts>.*?\D)[ _.]?(?:squared|square|sq|\^?2|log)"
)
FUNCTIONS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (np.square, np.sqrt, np.log, np.log1p)
ROWS_A_GROUP, FOLLOWS = 2, 0.97
"""Rows of each of the finer groups, on average, and the part of all rows whose coarser group follows from it."""


def derived_columns(head: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the columns that hold what their names say: the logarithm, square or root of another column."""
    lower = {name.lower(): name for name in names}
    found = set()
    for name in names:
        match = NAME.fullmatch(name.lower())
        base = lower.get(match["ends"] or match["starts"]) if match else None
        if base is not None and base != name and _computed(head[name], head[base]):
            found.add(name)
    return found


def _computed(values: pl.Series, base: pl.Series) -> bool:
    if not (values.dtype.is_numeric() and base.dtype.is_numeric()):
        return False
    pair = pl.DataFrame([values.alias("value"), base.alias("base")]).drop_nulls().cast(pl.Float64).to_numpy()
    with np.errstate(all="ignore"):
        for function in FUNCTIONS:
            computed = function(pair[:, 1])
            usable = np.isfinite(computed)
            if usable.sum() < MIN_ROWS:
                continue
            one, other = computed[usable], pair[usable, 0]
            if one.std() and other.std() and abs(np.corrcoef(one, other)[0, 1]) > SAME:
                return True
    return False


def follows(head: pl.DataFrame, name: str, texts: Sequence[str]) -> str:
    """Return the column of more texts, each in some rows, that a column of texts is a coarser grouping of; else empty.

    The class of a car follows from its model: it groups rows, and nothing is learnt by predicting it.
    """
    different = head[name].n_unique()
    for other in texts:
        groups = head[other].n_unique()
        if 2 < different < groups and ROWS_A_GROUP * groups <= len(head):
            pairs = head.select(pl.col(other).alias("finer"), pl.col(name).alias("coarser"))
            largest = pairs.group_by("finer", "coarser").len().group_by("finer").agg(pl.col("len").max())
            if largest["len"].sum() >= FOLLOWS * len(head):
                return other
    return ""
