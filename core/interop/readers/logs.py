"""Finds the log that another tool wrote, or writes, under a path."""

from pathlib import Path
from typing import Protocol

from core.errors import InputError
from core.events import Event
from core.interop.readers.csv_log import CsvLog, is_csv_log
from core.interop.readers.names import SPLIT_NAMES
from core.interop.readers.tensorboard_log import BoardLog, event_folders

__all__ = ["ForeignLog", "find_log"]

CSV_NAME = "metrics.csv"


class ForeignLog(Protocol):
    """A log that is read as the events of a run.

    Attributes:
        path: of the file or folder.
    """

    path: Path

    def read(self) -> list[Event]:
        """The events since the last call; a run that was started again yields RunStarted first."""


def find_log(path: Path) -> ForeignLog:
    """The log at a path: a CSV file with a column ``step``, Lightning's folder, or a log directory of TensorBoard.

    Of a folder with several logs the one that was written last is taken; the folders ``train`` and ``validation`` of
    one log count as one.

    Raises:
        InputError: there is none.
        DependencyError: it needs a package that is not installed.
    """
    if path.is_file() and is_csv_log(path):
        return CsvLog(path)
    if path.is_dir():
        tables = {file: file.stat().st_mtime for file in path.rglob(CSV_NAME) if is_csv_log(file)}
        boards = event_folders(path)
        if tables and max(tables.values()) >= max(boards.values(), default=0.0):
            return CsvLog(max(tables, key=tables.__getitem__))
        if boards:
            return BoardLog(_whole(list(boards), path))
    raise InputError(
        f"{path} is neither a run nor a TensorBoard or Lightning log",
        "Give the folder of a run, a log directory with event files, or a metrics.csv",
    )


def _whole(boards: list[Path], path: Path) -> Path:
    """The folder of the log that was written last, not only of a part of it."""
    newest = boards[0]
    if newest != path and newest.name.lower() in SPLIT_NAMES:
        return newest.parent
    return path if path in boards else newest
