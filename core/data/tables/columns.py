"""Which columns of a table can teach something."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from core.counting import counted
from core.data.tables.targets.names import id_name
from core.data.tables.values.reading import Reading, quoted

if TYPE_CHECKING:
    from core.data.tables.encoding import TrainRows

__all__ = ["useful"]

MIN_ROWS = 5
"""Rows from which a different text in each of them teaches nothing."""
LONG_TEXT, MAX_NAMES = 60, 40
IMAGE_NAME = re.compile(r".+\.(jpe?g|png|bmp|gif|tiff?|webp)", re.IGNORECASE)
LARGEST_WHOLE = 2.0**53
"""Whole numbers from here on are not all told apart by float64."""


def useful(
    train: "pl.DataFrame | TrainRows", readings: Mapping[str, Reading], max_categories: int
) -> tuple[dict[str, Reading], list[str]]:
    """Return the columns that can teach something, and a line for each other one."""
    if not readings:
        return {}, []
    reasons = {name: _useless(train[name], how, max_categories) for name, how in readings.items()}
    kept = {name: how for name, how in readings.items() if not reasons[name]}
    notes = [f"left out {name}: {reason}" for name, reason in reasons.items() if reason]
    if len(notes) > 2 * MIN_ROWS:
        names = [name for name, reason in reasons.items() if reason]
        listed = ", ".join(names[MIN_ROWS:MAX_NAMES]) + (" ..." if len(names) > MAX_NAMES else "")
        notes = [
            *notes[:MIN_ROWS],
            f"left out {counted(len(names) - MIN_ROWS, 'more such column')}: {listed}",
        ]
    return kept, notes


def _useless(values: pl.Series, how: Reading, max_categories: int) -> str:
    """Why a column teaches nothing; empty if it may."""
    filled = len(values) - values.null_count()
    if not filled:
        return "no training row has a value"
    if how.kind == "text":
        different = values.n_unique() - (filled < len(values))
        if different == 1 and filled == len(values):
            return "the same text in all training rows"
        each = different == filled and filled > MIN_ROWS
        if not each and not (different > max_categories and 2 * different > filled):
            return ""
        return f"{different:,} different texts in {filled:,} training rows, {_kind_of_texts(values)}"
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type] # of numbers
    if low == high:
        lost = "; values so large are not told apart" if abs(low) >= LARGEST_WHOLE else ""
        return f"the same value in all training rows{lost}"
    if how.kind != "number" or not id_name(values.name) or filled < max(len(values), MIN_ROWS + 1):
        return ""
    each = values.n_unique() == filled and bool((values % 1 == 0).all())
    counts = values.name.lower() != "x" or high - low < 2 * filled
    return "another number in each row, as ids have" if each and counts else ""


def _kind_of_texts(values: pl.Series) -> str:
    """Describe texts that are nearly all different, with one of them."""
    texts = values.drop_nulls()
    shown = quoted(texts[0])
    if IMAGE_NAME.fullmatch(texts[0]):
        return f"names of images such as {shown}; data.images says where these are"
    if float(texts.str.len_chars().mean() or 0) > LONG_TEXT:  # type: ignore[arg-type] # of lengths
        return f"free text, which is not used; data.text=[{values.name}] reads it"
    return f"such as {shown}"
