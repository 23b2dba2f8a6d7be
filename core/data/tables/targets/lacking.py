"""Rows without a target: dropped and reported, or reason to ask."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Literal

import numpy as np
import polars as pl

from core.counting import counted
from core.data.tables.files.source import Source
from core.data.tables.values.missing import CLASS_WORDS, missing_texts
from core.data.tables.values.reading import Reading, quoted
from core.data.tables.values.rows import missing_setting
from core.errors import DataError
from core.remedies import setting, worded

__all__ = ["possible_categories", "rows_with_target"]

DROP = setting("data.missing_target", "drop")
MAX_SHARE = 1 / 3
"""Part of the rows without a target from which the user is asked."""
MAX_COLUMNS = 50
"""Columns of texts that are looked at for such a text."""
MIN_CLASS = 0.05
"""Part of the rows from which such a text may be a class."""


def rows_with_target(
    source: Source,
    frame: pl.DataFrame,
    name: str,
    how: Reading,
    missing: tuple[str, ...],
    policy: Literal["auto", "drop", "error"],
    field: str = "data.target",
) -> tuple[np.ndarray, list[str]]:
    """Return positions of the rows with a target, and a line for each kind of rows left out.

    Args:
        policy: what to do with rows that lack it; empty rows are left out anyway.
        field: of the configuration, for messages.

    Raises:
        DataError: rows lack it that shall not be dropped, or that may be a class; or all lack it.
    """
    of = "" if field == "data.target" else f" of {source.path.name}"
    lacks = frame[name].is_null().to_numpy()
    if not lacks.any():
        return np.arange(len(frame)), []
    filled = frame.filter(pl.Series(lacks)).select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    lacking = np.flatnonzero(lacks)[filled.to_numpy()]
    empty = int(lacks.sum()) - len(lacking)
    if lacks.all():
        formulas = "; formulas have values once a spreadsheet program has saved the file"
        raise DataError(
            f"{field}: {name} is missing in all rows{of}",
            f"Choose another column, or another file{formulas if source.is_workbook else ''}",
        )
    notes = []
    if len(lacking):
        texts = _texts(source, name, lacking, missing)
        rows = len(frame) - empty
        if policy == "error":
            more = f" (and in {counted(len(lacking) - 1, 'row')} more)" if len(lacking) > 1 else ""
            raise DataError(
                f"{field}: {source.path.name}, {source.place(int(lacking[0]))}: {name} is missing{more}",
                ("Fill it, or leave such rows out with ", DROP),
            )
        if policy == "auto":
            _ask_if_class(source, name, how, texts, rows, missing, field, bool(of))
        if policy == "auto" and len(lacking) > MAX_SHARE * rows:
            raise DataError(
                f"{field}: {name} is missing in {len(lacking):,} of {rows:,} rows{of}{_listed(texts)}",
                (DROP, " leaves them out; or choose another column"),
            )
        share = f" ({_listed(texts).strip(' ()')})" if _listed(texts) else ""
        notes.append(f"left out {counted(len(lacking), 'row')}{of} whose target is missing{share}")
    if empty:
        notes.append(f"left out {counted(empty, 'empty line')}{of}")
    return np.flatnonzero(~lacks), notes


def _texts(source: Source, name: str, rows: np.ndarray, missing: tuple[str, ...]) -> Counter[str]:
    """The texts that were taken for missing, and how often each occurs; empty fields do not count."""
    if source.schema()[name].is_numeric():
        return Counter()
    column = source.collect(pl.col(name).cast(pl.String).str.strip_chars())[name][rows].drop_nulls()
    marks = missing_texts(missing) - {""}
    return Counter(text for text in column.to_list() if text.lower() in marks)


def _ask_if_class(
    source: Source,
    name: str,
    how: Reading,
    texts: Counter[str],
    rows: int,
    missing: tuple[str, ...],
    field: str,
    is_test: bool,
) -> None:
    """Ask about texts such as None that may be a class."""
    if how.kind != "text" or is_test:
        return
    classes = [
        text
        for text, count in texts.items()
        if text.lower() in CLASS_WORDS and count >= max(2, MIN_CLASS * rows)
    ]
    if not classes:
        return
    kept = [mark for mark in missing if mark.lower() not in {text.lower() for text in classes}]
    shown = " and ".join(f"{quoted(text)} in {counted(texts[text], 'row')}" for text in classes)
    raise DataError(
        f"{field}: {name} holds {shown}, which counts as missing but may be a class",
        (missing_setting(kept, []), " makes it a class, ", DROP, " leaves these rows out"),
    )


def _listed(texts: Counter[str]) -> str:
    if not texts:
        return ""
    return " (" + ", ".join(f"{quoted(text)} in {count:,}" for text, count in texts.most_common(4)) + ")"


def possible_categories(
    absent: Mapping[str, Counter[str]], rows: int, missing: tuple[str, ...]
) -> Iterator[str]:
    """Report texts such as None that count as missing in columns of categories, but may be one.

    Args:
        absent: of columns of texts those that stand for a missing value, and how often each does.
        rows: of the file.
    """
    words = CLASS_WORDS & missing_texts(missing)
    for name in islice(absent, MAX_COLUMNS):
        for text, count in absent[name].most_common():
            if text.lower() in words and count >= max(2, MIN_CLASS * rows):
                kept = [mark for mark in missing if mark.lower() != text.lower()]
                setting_ = worded((missing_setting(kept, []),))
                yield (
                    f"{name} holds {quoted(text)} in {counted(count, 'row')}, which counts as missing but may be "
                    "a category; "
                    f"{setting_} makes it one"
                )
