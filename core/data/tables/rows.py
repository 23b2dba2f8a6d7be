"""The rows of a file: read, and checked to be whole."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import polars as pl

from core.data.tables.reading import Reading, find_readings, mistaken, read_columns, refuse_bad
from core.data.tables.source import Source
from core.errors import DataError

__all__ = ["read_known", "read_rows"]

MAX_NAMES = 12


def read_rows(
    source: Source, columns: Sequence[str], missing: Sequence[str], texts: Sequence[str] = ()
) -> tuple[dict[str, Reading], pl.DataFrame]:
    """Find out what columns hold, and read them.

    Args:
        texts: columns that are read as texts whatever they hold.

    Raises:
        DataError: a row has too many fields or too few, or a value cannot be read.
    """
    readings = find_readings(source, columns, missing, texts)
    frame = read_columns(source, readings, missing)
    after_all = mistaken(frame, readings)
    if after_all:  # numbers in the first rows, and texts in most of the others
        readings |= after_all
        frame = frame.with_columns(read_columns(source, after_all, missing))
    _check(source, frame, readings)
    return readings, frame


def read_known(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> pl.DataFrame:
    """Read columns of which it is known what they hold; others may be there too, and in any order.

    Raises:
        DataError: a column is not there, a row has too many fields or too few, or a value cannot be read.
    """
    lacking = [name for name in readings if name not in source.names]
    if lacking:
        some = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else "")
        close = get_close_matches(lacking[0], source.names, n=1)
        near = f"There is '{close[0]}'. " if close else ""
        raise DataError(
            f"{source.path.name} lacks {some}", f"{near}Its columns: {', '.join(source.names[:MAX_NAMES])}"
        )
    frame = read_columns(source, readings, missing)
    _check(source, frame, readings)
    return frame


def _check(source: Source, frame: pl.DataFrame, readings: Mapping[str, Reading]) -> None:
    if not len(frame):
        raise DataError(
            f"{source.path.name} has no rows", "Its first line names the columns, the others are rows"
        )
    last = source.names[-1]
    if last not in frame.columns or frame[last].null_count():
        source.check_shape()  # polars takes what lacks at the end of a line for missing values
    refuse_bad(source, frame, readings)
