"""Files of JSON lines with a step or an epoch in each, as many scripts and trainers write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.interop.readers.folders import Folder
from core.interop.readers.formats.columns import columns_of
from core.interop.readers.formats.line_source import LineSource
from core.interop.readers.formats.lines import first_lines
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
    return any(columns_of(flat_numbers(values)) is not None for values in found)


class JsonLinesSource(LineSource):
    """Reads objects line by line; numbers in objects inside them get names with a slash."""

    tool = "JSON lines"

    def _forget(self) -> None:
        self._is_damaged = False

    def _row(self, line: str, modified: float, problems: list[str]) -> LogRow | None:
        values = _values(line)
        if values is None:
            if not self._is_damaged:
                problems.append(f"{self.path.name} has lines that are not JSON objects, which are left out")
            self._is_damaged = True
            return None
        numbers = flat_numbers(values)
        columns = columns_of(numbers)
        return self._placing.row(columns, numbers, modified) if columns else None


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
