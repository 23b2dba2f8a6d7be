"""The ``metrics.csv`` of Lightning's CSVLogger, and any CSV file with a column ``step``, read while it grows."""

import csv
import os
from pathlib import Path

from core.events import Event
from core.files.reading import open_regular
from core.interop.readers.rows import StepRows

__all__ = ["CsvLog", "is_csv_log"]

LARGEST_STEP = 1 << 53


class CsvLog:
    """Reads what was appended since the last call; a rewritten file, as for a new column, is read from its start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = StepRows("Lightning")
        self._header = b""
        self._offset = 0

    def read(self) -> list[Event]:
        """The events since the last call; a line without its end waits for the next one."""
        try:
            with open_regular(self.path, follow_links=True) as file:
                found = os.fstat(file.fileno())
                header = file.readline()
                if not header.endswith(b"\n"):
                    return []
                is_new = header != self._header or found.st_size < self._offset
                file.seek(file.tell() if is_new else self._offset)
                start, data = file.tell(), file.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._header, self._offset = header, start + len(whole)
        events: list[Event] = [self._rows.begin(found.st_mtime)] if is_new else []
        names, *rows = csv.reader((header + whole).decode(errors="replace").splitlines())
        for row in rows:
            cells = zip(names, row, strict=False)
            values = {name: number for name, text in cells if (number := _number(text)) is not None}
            step = values.pop("step", 0.0)
            if 0 <= step < LARGEST_STEP:
                events += self._rows.take(int(step), found.st_mtime, values)
        return events


def is_csv_log(path: Path) -> bool:
    """Return whether a file is such a log."""
    try:
        with open_regular(path, follow_links=True) as file:
            return "step" in next(csv.reader([file.readline(1 << 16).decode(errors="replace")]), [])
    except (OSError, csv.Error):
        return False


def _number(text: str) -> float | None:
    """A cell; None where it is empty or no number. What is not finite stays: it is where a run diverged."""
    try:
        return float(text)
    except ValueError:
        return None
