"""Sheets of workbooks as tables of texts: which sheet is read, and times that spreadsheets hold as days."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.tables.files.formats import part_of
from core.errors import DataError, DependencyError
from core.remedies import setting, worded

if TYPE_CHECKING:
    from fastexcel import ExcelReader

__all__ = ["WORKBOOKS", "read_grid"]

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
MIN_ROWS = MIN_COLUMNS = 2
"""Rows and columns from which a sheet may hold a table."""
MAX_NAMES = 8
DAY_ZERO, LEAP = datetime(1899, 12, 31), datetime(1900, 3, 1)
"""Day 0 of a spreadsheet, which no date is; and the day from which on one more is counted than there were."""
DATE = re.compile(r"(18|19)\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


def read_grid(path: Path, content: bytes | None, part: str) -> tuple[list[list[str]], list[str]]:
    """Return the cells of a sheet as texts, and a line on which sheet that is where there are several.

    Args:
        part: the sheet; empty for the first one that is not hidden and may hold a table.

    Raises:
        DataError: it is damaged, or has no such sheet.
        DependencyError: the package that reads workbooks is not installed.
    """
    try:
        import fastexcel
    except ImportError:
        raise DependencyError(
            f"{path.name} is a workbook, and the package that reads these is not installed",
            "Install it: pip install 'torchtui[excel]', or save the sheet as CSV",
        ) from None
    try:
        book = fastexcel.read_excel(content if content is not None else str(path))
        name, notes = (
            (part_of(path, book.sheet_names, part, "sheets", first=True), []) if part else _found(book)
        )
        cells = book.load_sheet(
            name, header_row=None, dtypes="string", skip_whitespace_tail_rows=True
        ).to_polars()
    except fastexcel.FastExcelError as error:
        raise DataError(
            f"{path.name} cannot be read as a workbook: {str(error).partition(chr(10))[0]}",
            "Save the sheet as CSV",
        ) from None
    columns = [
        _clocks(["" if cell is None else str(cell) for cell in column]) for column in cells.iter_columns()
    ]
    return [list(row) for row in zip(*columns, strict=True)], notes


def _found(book: "ExcelReader") -> tuple[str, list[str]]:
    """The first sheet that may hold a table, and a line where others may, too, or stand before it."""
    names = book.sheet_names
    may = [name for name in names if len(names) == 1 or _may_hold_a_table(book, name)]
    chosen = (may or names)[0]
    others = [name for name in may if name != chosen] or [name for name in names[:1] if name != chosen]
    if not others:
        return chosen, []
    listed = ", ".join(names[:MAX_NAMES]) + (" ..." if len(names) > MAX_NAMES else "")
    other = worded((setting("data.part", others[0]),))
    return chosen, [f"read from the sheet {chosen}, one of {len(names):,} ({listed}); {other} reads another"]


def _may_hold_a_table(book: "ExcelReader", name: str) -> bool:
    sheet = book.load_sheet(name, header_row=None, n_rows=MIN_ROWS, dtypes="string")
    return sheet.visible == "visible" and sheet.width >= MIN_COLUMNS and sheet.total_height >= MIN_ROWS


def _clocks(texts: Sequence[str]) -> list[str]:
    """Times of day and durations as hours, minutes and seconds: those of a day are dates of the year 1899 as read."""
    if not any(text.startswith(f"{DAY_ZERO:%Y-%m-%d}") for text in texts):
        return list(texts)
    return [_clock(text) if DATE.fullmatch(text) else text for text in texts]


def _clock(text: str) -> str:
    moment = datetime.fromisoformat(text)
    days = (moment - DAY_ZERO).days + (moment >= LEAP)
    return f"{24 * days + moment.hour}:{moment:%M:%S}"
