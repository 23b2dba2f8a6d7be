"""What was found in a table and done to it, in a line each."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from core.data.tables.encoding import Encoding, TextColumn
from core.data.tables.reading import Reading

__all__ = ["chosen", "columns", "dropped", "filled"]

MAX_NAMES = 8


def chosen(name: str, why: str, class_names: Sequence[str]) -> str:
    """Which column is predicted, why that one, and what it holds."""
    holds = f"{len(class_names):,} classes" if class_names else "numbers, regression"
    return f"target: {name} ({why}), {holds}"


def columns(encoding: Encoding, readings: Mapping[str, Reading]) -> str:
    """How many columns of each kind make how many features, and the format of dates."""
    kinds = [column.kind for column in encoding.columns]
    words = {"number": "of numbers", "text": "of categories", "date": "of dates"}
    parts = [f"{kinds.count(kind):,} {word}" for kind, word in words.items() if kind in kinds]
    formats = sorted({how.format for how in readings.values() if how.kind == "date" and how.format})
    dates = f"; dates are read as {', '.join(formats)}" if formats else ""
    return f"columns: {', '.join(parts)}; {len(encoding.features):,} features{dates}"


def filled(encoding: Encoding, frame: pl.DataFrame) -> Iterator[str]:
    """How many values are imputed, and how many texts share a feature."""
    imputed = encoding.imputed(frame)
    if imputed:
        total = sum(imputed.values())
        yield f"imputed {total:,} missing values with the median of train: {_list(imputed)}"
    texts = [column for column in encoding.columns if isinstance(column, TextColumn)]
    absent = {column.name: frame[column.name].null_count() for column in texts}
    absent = {name: count for name, count in absent.items() if count}
    if absent:
        yield f"missing categories, a feature of their own: {_list(absent)}"
    grouped = {column.name: len(column.texts) for column in texts if column.others}
    if grouped:
        yield f"the most frequent texts have a feature each, all others share one: {_list(grouped)}"


def dropped(without_target: int, empty: int, of: str = "") -> Iterator[str]:
    """How many rows are left out; `of` says of which file."""
    if without_target:
        yield f"left out {without_target:,} rows{of} whose target is missing"
    if empty:
        yield f"left out {empty:,} empty lines{of}"


def _list(counts: Mapping[str, int]) -> str:
    named = [f"{name} {count:,}" for name, count in counts.items()]
    more = f" and {len(named) - MAX_NAMES:,} columns more" if len(named) > MAX_NAMES else ""
    return ", ".join(named[:MAX_NAMES]) + more
