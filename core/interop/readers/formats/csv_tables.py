"""CSV files with a column of steps or epochs, as Lightning, Keras, Ultralytics, fastai, timm and many scripts write."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.interop.readers.folders import Folder
from core.interop.readers.formats.columns import LogColumns, columns_of
from core.interop.readers.formats.line_source import LineSource
from core.interop.readers.formats.lines import first_lines
from core.interop.readers.formats.row_texts import RowTexts, number_in
from core.interop.readers.rows import LogRow

__all__ = ["CsvSource", "find_tables", "is_table"]

ENDINGS = (".csv", ".tsv", ".log")
DELIMITERS = ",;\t"
FASTAI = frozenset(("epoch", "train_loss", "valid_loss", "time"))
KNOWN = {
    frozenset(("train/box_loss", "val/box_loss")): "Ultralytics",
    frozenset(("metrics/accuracy_top1",)): "Ultralytics",
    FASTAI: "fastai",
    frozenset(("eval_top1", "train_loss")): "timm",
    frozenset(("time/total_timesteps",)): "Stable-Baselines3",
    frozenset(("val_loss", "loss", "epoch")): "Keras",
}
"""Tools by columns that only they write."""


def find_tables(folder: Folder) -> Iterator[Path]:
    """Yield the tables in a folder."""
    for name in folder.files:
        if name.lower().endswith(ENDINGS) and is_table(folder.path / name):
            yield folder.path / name


def is_table(path: Path) -> bool:
    """Return whether a file is a table of numbers by step or epoch."""
    return _header_in(first_lines(path, 20)) is not None


class CsvSource(LineSource):
    """Reads rows under the latest header; a header that is repeated, or changed by a restart, counts from there on."""

    def __init__(self, path: Path) -> None:
        self._texts = RowTexts(path.name)
        super().__init__(path)
        self.tool = _tool_of(path, _header_in(first_lines(path, 20)) or [])

    def _forget(self) -> None:
        self._names: list[str] = []
        self._columns: LogColumns | None = None
        self._delimiter = ","
        self._said_longer = False
        self._texts.forget()

    def _row(self, line: str, modified: float, problems: list[str]) -> LogRow | None:
        if line.startswith("#"):
            return None
        if self._columns is None or _is_header(line, self._delimiter):
            self._take_header(line)
            return None
        cells = _cells(line, self._delimiter)
        if len(cells) > len(self._names) and not self._said_longer:
            self._said_longer = True
            problems.append(
                f"{self.path.name} has rows of {len(cells)} cells under a header of {len(self._names)}: "
                "those without a name are left out"
            )
        pairs = [*zip(self._names, cells, strict=False)]
        values = {
            name: number for name, cell in pairs if (number := _number(cell, self._delimiter)) is not None
        }
        texts = {name: cell for name, cell in pairs if name not in values and cell.strip()}
        return self._placing.row(*self._texts.apply(self._columns, values, texts, problems), modified)

    def _take_header(self, line: str) -> None:
        delimiter = _delimiter_of(line)
        names = [name.strip() for name in _cells(line, delimiter)]
        columns = columns_of(names)
        if columns is None:
            return
        self._delimiter, self._columns = delimiter, columns
        if {*names} >= FASTAI:  # its metrics are those of validation, whatever they are called
            named = {*columns.numbers} - {"train_loss", "valid_loss"}
            names = [f"valid_{name}" if name in named else name for name in names]
            self._columns = columns_of(names)
        self._names = names


def _header_in(lines: Sequence[str]) -> list[str] | None:
    """Return the names of the columns of a table that starts with these lines; None if it is none."""
    for line in lines:
        if line.startswith("#"):
            continue
        delimiter = _delimiter_of(line)
        return [name.strip() for name in _cells(line, delimiter)] if _is_header(line, delimiter) else None
    return None


def _is_header(line: str, delimiter: str) -> bool:
    """Return whether a line names columns, among them one of steps or epochs, and holds no number."""
    cells = _cells(line, delimiter)
    return columns_of(name.strip() for name in cells) is not None and all(
        _number(cell, delimiter) is None for cell in cells
    )


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _delimiter_of(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _number(text: str, delimiter: str) -> float | None:
    """A cell; None where it is empty or no number. What is not finite stays: it is where a run diverged.

    Where commas do not part the cells, one is a decimal comma, as much of Europe writes it.
    """
    return number_in(text.replace(",", ".") if delimiter != "," and text.count(",") == 1 else text)


def _tool_of(path: Path, header: Sequence[str]) -> str:
    """Return the tool that writes such tables, or else the name of the file."""
    names = {*header}
    if path.name == "metrics.csv" and {"epoch", "step"} <= names:
        return "Lightning"
    return next((tool for columns, tool in KNOWN.items() if columns <= names), "CSV")
