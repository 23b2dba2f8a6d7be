"""The reader of a file each of whose lines is a row, whatever a line looks like."""

from pathlib import Path
from typing import Any

from core.interop.readers.formats.lines import GrowingLines
from core.interop.readers.formats.placing import Placing
from core.interop.readers.formats.settings_beside import settings_beside
from core.interop.readers.rows import LogRow, LogRows
from core.status import Ending

__all__ = ["LineSource"]


class LineSource:
    """Base of the sources that read line by line; a subclass understands one line."""

    tool = ""
    ending: Ending | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self._lines = GrowingLines(path)
        self._placing = Placing()
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._lines.rewind()
        self._start_anew()
        self.settings = settings_beside(self.path)

    def read(self) -> LogRows:
        """The rows since the last call."""
        new = self._lines.read()
        if new.anew:
            self._start_anew()
        problems = [*new.problems]
        rows = [row for line in new.lines if (row := self._row(line, new.modified, problems)) is not None]
        if self._placing.is_mistaken:
            self.rewind()
            return LogRows(anew=True, problems=problems)
        return LogRows(rows, new.anew, problems)

    def _start_anew(self) -> None:
        self._placing.rewind()
        self._forget()

    def _forget(self) -> None:
        """Forget what the lines so far said of those that follow."""
        raise NotImplementedError

    def _row(self, line: str, modified: float, problems: list[str]) -> LogRow | None:
        """Return the row of a line, None for a line that is none; problems are added to the list."""
        raise NotImplementedError
