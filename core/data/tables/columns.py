"""Which columns of a table can teach something."""

from collections.abc import Mapping

import polars as pl

from core.data.tables.reading import Reading

__all__ = ["useful"]

COUNTERS = ("id", "index", "column_1")
"""Names of columns that may only number the rows; pandas writes one without a name."""


def useful(
    train: pl.DataFrame, readings: Mapping[str, Reading], max_categories: int
) -> tuple[dict[str, Reading], list[str]]:
    """The columns that can teach something, and a line for each other one."""
    reasons = {name: _useless(train[name], how, max_categories) for name, how in readings.items()}
    kept = {name: how for name, how in readings.items() if not reasons[name]}
    return kept, [f"left out {name}: {reason}" for name, reason in reasons.items() if reason]


def _useless(values: pl.Series, how: Reading, max_categories: int) -> str:
    """Why a column teaches nothing; empty if it may."""
    filled = len(values) - values.null_count()
    if not filled:
        return "no training row has a value"
    if how.kind == "text":
        different = values.n_unique()
        if different == 1:
            return "the same text in all training rows"
        many = different > max_categories and 2 * different > filled
        return f"{different:,} different texts in {filled:,} training rows" if many else ""
    if values.min() == values.max():
        return "the same value in all training rows"
    counts = values.name.lower() in COUNTERS and filled == len(values) and bool((values % 1 == 0).all())
    return "another number in each row" if counts and values.n_unique() == len(values) else ""
