"""Files of JSON lines with a step or an epoch in each, as many scripts and trainers write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.interop.readers.folders import Folder
from core.interop.readers.formats.columns import columns_of, counts_rows
from core.interop.readers.formats.line_source import LineSource
from core.interop.readers.formats.lines import first_lines
from core.interop.readers.formats.row_texts import RowTexts, is_wanted, number_in
from core.interop.readers.rows import LogRow

__all__ = ["JsonLinesSource", "find_json_lines", "flat_numbers", "is_json_lines"]

ENDINGS = (".jsonl", ".ndjson", ".log.json")
NAMES = ("metrics.json", "log.txt", "scalars.json")
SNIFFED_LINES = 20
MAX_DEPTH = 5
"""Objects in objects that are looked into."""


def find_json_lines(folder: Folder) -> Iterator[Path]:
    """Yield the files of JSON lines in a folder."""
    for name in folder.files:
        named = name.lower().endswith(ENDINGS) or name.lower() in NAMES
        if named and is_json_lines(folder.path / name):
            yield folder.path / name


def is_json_lines(path: Path) -> bool:
    """Return whether a file holds numbers by step or epoch, a line each; a log of our own is none."""
    lines = first_lines(path, SNIFFED_LINES)
    if not lines or not lines[0].lstrip().startswith("{"):
        return False
    found = [values for line in lines if (values := _values(line)) is not None]
    if any("event" in values and "v" in values for values in found):
        return False
    return any(columns_of(_numbers(values)) is not None for values in found)


class JsonLinesSource(LineSource):
    """Reads objects line by line; numbers in objects inside them get names with a slash."""

    tool = "JSON lines"

    def __init__(self, path: Path) -> None:
        self._texts = RowTexts(path.name)
        super().__init__(path)

    def _forget(self) -> None:
        self._is_damaged = False
        self._texts.forget()

    def _row(self, line: str, modified: float, problems: list[str]) -> LogRow | None:
        values = _values(line)
        if values is None:
            if not self._is_damaged:
                problems.append(f"{self.path.name} has lines that are not JSON objects, which are left out")
            self._is_damaged = True
            return None
        numbers = _numbers(values)
        texts = {
            name: value for name, value in values.items() if isinstance(value, str) and name not in numbers
        }
        columns = columns_of({**dict.fromkeys(filter(counts_rows, texts)), **numbers})
        if columns is None:
            return None
        return self._placing.row(*self._texts.apply(columns, numbers, texts, problems), modified)


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of a line, also those of steps, epochs and known metrics that are written as texts."""
    texts = {name: value for name, value in values.items() if isinstance(value, str) and is_wanted(name)}
    written = {name: number for name, text in texts.items() if (number := number_in(text)) is not None}
    return flat_numbers(values) | written


def flat_numbers(values: dict[str, Any], depth: int = MAX_DEPTH) -> dict[str, float]:
    """Return the numbers in an object, and in objects in it; what JSON writes as a text may be one, too."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            inside = {f"{name}/{key}": each for key, each in value.items()}
            found |= flat_numbers(inside, depth - 1) if depth else {}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = _float(value)
        elif isinstance(value, str) and value.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
            found[name] = float(value)
    return found


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _values(line: str) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
