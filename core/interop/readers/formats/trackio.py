"""Runs in a database of trackio, one a project: the path of a run is that of the database and the run's name."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from core.interop.readers.folders import Folder
from core.interop.readers.formats.database import is_database, query, tables_of
from core.interop.readers.formats.json_lines import flat_numbers
from core.interop.readers.rows import EpochColumn, LogRow, LogRows
from core.status import Ending

__all__ = ["Trackio", "find_trackio_runs", "is_trackio", "trackio_title"]

TABLES = {"metrics", "configs"}
MAX_ROWS = 20_000
RUNS = "select run_name from metrics group by run_name order by max(id) desc"
METRICS = "select id, timestamp, step, metrics from metrics where run_name = ? and id > ? order by id limit ?"
SETTINGS = "select config from configs where run_name = ? order by id desc limit 1"


def is_trackio(path: Path) -> bool:
    """Return whether a file is such a database."""
    if path.suffix != ".db" or not is_database(path):
        return False
    tables = tables_of(path)
    return tables >= TABLES and "experiments" not in tables


def find_trackio_runs(folder: Folder) -> Iterator[Path]:
    """Yield the runs in the databases in a folder; a name with a slash is not one of a run."""
    for name in folder.files:
        if is_trackio(folder.path / name):
            for (run,) in query(folder.path / name, RUNS):
                if run and "/" not in str(run):
                    yield folder.path / name / str(run)


def trackio_title(path: Path) -> str:
    """Return the names of the project and the run."""
    database, run = _split(path)
    return f"{database.stem} {run}"


class Trackio:
    """Reads the metrics of a run in the order in which they were logged.

    Args:
        path: of the database and the run, or of the database alone: its run that was logged to last.
    """

    tool = "trackio"
    ending: Ending | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self._epochs = EpochColumn()
        self._database, self._run = _split(path)
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._epochs.rewind()
        self._last, self._named = 0, False

    def read(self) -> LogRows:
        """The rows since the last call."""
        for (text,) in query(self._database, SETTINGS, (self._run,)):
            self.settings = {key: value for key, value in _object(text).items() if key[:1] != "_"}
        rows = []
        for place, time, step, metrics in query(self._database, METRICS, (self._run, self._last, MAX_ROWS)):
            self._last = place
            numbers = flat_numbers(_object(metrics))
            epoch = self._epochs.number(numbers.pop("epoch", None))
            self._named = self._named or epoch > 0
            if numbers and isinstance(step, int) and step >= 0:
                rows.append(LogRow(step, _seconds(time), numbers, epoch))
        if self._epochs.is_fractional and self._named:
            self.rewind()
            return LogRows(anew=True)
        return LogRows(rows)


def _object(text: object) -> dict[str, Any]:
    """Return an object of JSON, which is text or bytes."""
    try:
        values = json.loads(text if isinstance(text, bytes) else str(text))
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _seconds(time: object) -> float:
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _split(path: Path) -> tuple[Path, str]:
    if path.is_file():
        return path, next((str(run) for (run,) in query(path, RUNS)), "")
    return path.parent, path.name
