"""Runs in a database of MLflow, ``mlflow.db``: the path of a run is that of the database and the run's id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.interop.readers.folders import Folder
from core.interop.readers.formats.database import is_database, query, tables_of
from core.interop.readers.formats.mlflow_files import plain_value
from core.interop.readers.rows import LogRow, LogRows
from core.status import Ending

__all__ = ["MlflowDatabase", "database_title", "find_database_runs", "is_mlflow_database"]

TABLES = {"runs", "metrics", "params", "experiments"}
ENDINGS: dict[str, Ending] = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "stopped"}
MAX_ROWS = 20_000
"""Of one call."""
RUNS = "select run_uuid from runs where lifecycle_stage = 'active' order by start_time desc"
LATEST = f"{RUNS} limit 1"
STATUS = "select status from runs where run_uuid = ?"
NAMES = """
    select experiments.name, runs.name from runs join experiments on runs.experiment_id = experiments.experiment_id
    where run_uuid = ?
"""
PARAMS = "select key, value from params where run_uuid = ?"
METRICS = """
    select timestamp, step, key, value, is_nan from metrics where run_uuid = ?
    and timestamp >= ? order by timestamp, step, key limit ? offset ?
"""


def is_mlflow_database(path: Path) -> bool:
    """Return whether a file is such a database."""
    return path.suffix in (".db", ".sqlite", ".sqlite3") and is_database(path) and tables_of(path) >= TABLES


def find_database_runs(folder: Folder) -> Iterator[Path]:
    """Yield the runs in the databases in a folder."""
    for name in folder.files:
        if is_mlflow_database(folder.path / name):
            for (run,) in query(folder.path / name, RUNS):
                yield folder.path / name / str(run)


def database_title(path: Path) -> str:
    """Return the names of the experiment and the run."""
    database, run = _split(path)
    return " ".join(str(name) for names in query(database, NAMES, (run,)) for name in names if name)


class MlflowDatabase:
    """Reads the metrics of a run in the order of their times.

    Args:
        path: of the database and the run, or of the database alone: its run that was started last.
    """

    tool = "MLflow"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self.ending: Ending | None = None
        self._database, self._run = _split(path)
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._time = self._at_time = 0

    def read(self) -> LogRows:
        """The rows since the last call."""
        for (status,) in query(self._database, STATUS, (self._run,)):
            self.ending = ENDINGS.get(status)
        self.settings = {
            str(key): plain_value(str(value)) for key, value in query(self._database, PARAMS, (self._run,))
        }
        rows = []
        for time, step, key, value, is_nan in query(
            self._database, METRICS, (self._run, self._time, MAX_ROWS, self._at_time)
        ):
            self._at_time = self._at_time + 1 if time == self._time else 1
            self._time = time
            if step >= 0:
                rows.append(LogRow(step, time / 1000, {str(key): float("nan") if is_nan else float(value)}))
        return LogRows(rows)


def _split(path: Path) -> tuple[Path, str]:
    if path.is_file():
        return path, next((str(run) for (run,) in query(path, LATEST)), "")
    return path.parent, path.name
