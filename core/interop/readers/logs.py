"""The registry of formats, and the logs that other tools wrote, or write, under a path."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.events import MediaLogged
from core.interop.readers.folders import Folder, folder_at
from core.interop.readers.following import ForeignLog, no_medium
from core.interop.readers.formats.csv_tables import CsvSource, find_tables, is_table
from core.interop.readers.formats.event_media import read_board_item
from core.interop.readers.formats.json_lines import JsonLinesSource, find_json_lines, is_json_lines
from core.interop.readers.formats.mlflow_database import (
    MlflowDatabase,
    database_title,
    find_database_runs,
    is_mlflow_database,
)
from core.interop.readers.formats.mlflow_files import (
    MlflowFiles,
    find_mlflow_runs,
    metric_files,
    mlflow_title,
)
from core.interop.readers.formats.tensorboard import BoardSource, board_files, find_boards, is_event_file
from core.interop.readers.formats.trackio import Trackio, find_trackio_runs, is_trackio, trackio_title
from core.interop.readers.formats.trainer_state import NAME as TRAINER_STATE
from core.interop.readers.formats.trainer_state import TrainerStateSource, find_trainer_states, state_files
from core.interop.readers.formats.wandb_file import (
    WandbFile,
    find_wandb_files,
    is_wandb_file,
    read_wandb_item,
    wandb_title,
)
from core.interop.readers.rows import LogSource
from core.runs.folder import is_run
from core.runs.media.stored import Medium

__all__ = ["FORMATS", "MAX_FOLDERS", "Format", "Found", "find_log", "find_logs"]

MAX_FOLDERS = 50_000
"""Folders that are looked into under one path."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")


@dataclass(frozen=True)
class Format:
    """A format of logs.

    Attributes:
        find: yields the logs in a folder, and takes away the folders that belong to them.
        recognises: returns whether a file that the user named is such a log.
        source: makes the reader of a log.
        files: returns the files that a log consists of.
        title: returns what its tool calls the run; empty where its place says it.
        medium: reads an image, a text or a histogram of the log at a path.
    """

    name: str
    find: Callable[[Folder], Iterator[Path]]
    recognises: Callable[[Path], bool]
    source: Callable[[Path], LogSource]
    files: Callable[[Path], list[Path]]
    title: Callable[[Path], str] = lambda path: ""
    medium: Callable[[Path, MediaLogged], Medium] = no_medium


def _itself(path: Path) -> list[Path]:
    return [path]


def _database(path: Path) -> list[Path]:
    return [path if path.is_file() else path.parent]


FORMATS = (
    Format(
        "tensorboard",
        find_boards,
        lambda path: is_event_file(path.name),
        BoardSource,
        board_files,
        medium=read_board_item,
    ),
    Format(
        "trainer_state",
        find_trainer_states,
        lambda path: path.name == TRAINER_STATE,
        TrainerStateSource,
        state_files,
    ),
    Format("mlflow", find_mlflow_runs, lambda path: False, MlflowFiles, metric_files, mlflow_title),
    Format("wandb", find_wandb_files, is_wandb_file, WandbFile, _itself, wandb_title, read_wandb_item),
    Format("trackio", find_trackio_runs, is_trackio, Trackio, _database, trackio_title),
    Format(
        "mlflow database",
        find_database_runs,
        is_mlflow_database,
        MlflowDatabase,
        _database,
        database_title,
    ),
    Format("csv", find_tables, is_table, CsvSource, _itself),
    Format("json lines", find_json_lines, is_json_lines, JsonLinesSource, _itself),
)
"""All that are read; to add one, write its module and name it here."""


@dataclass(frozen=True)
class Found:
    """A log that was found."""

    path: Path
    format: Format

    def reader(self) -> ForeignLog:
        """Return a reader of its events.

        Raises:
            DependencyError: it needs a package that is not installed.
        """
        return ForeignLog(self.format.source(self.path), self.format.medium)

    def modified(self) -> float:
        """Return when it was written last, in seconds since 1970; 0 if it is gone."""
        return max((seconds for _, _, seconds in self.stamp()), default=0) / 1e9

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Return a value that changes whenever the log does: names, sizes and times of its files."""
        stamps = []
        for file in self.format.files(self.path):
            try:
                found = file.stat()
            except OSError:
                continue
            stamps.append((str(file), found.st_size, found.st_mtime_ns))
        return tuple(stamps)


def find_logs(path: Path, at_limit: Callable[[], object] = lambda: None) -> Iterator[Found]:
    """Yield all logs in a folder and the folders below it; folders of runs of our own are passed over.

    Args:
        at_limit: called where more than `MAX_FOLDERS` are left, into which nothing looks.
    """
    left = [path]
    for _ in range(MAX_FOLDERS):
        if not left:
            return
        here = left.pop()
        folder = folder_at(here)
        folder.folders = [name for name in folder.folders if not is_run(f"{here}/{name}")]
        for format in FORMATS:
            for found in format.find(folder):
                yield Found(found, format)
        left += [here / name for name in reversed(folder.folders)]
    if left:
        at_limit()


def find_log(path: Path) -> ForeignLog:
    """The log at a path: a file, or of those in a folder the one that was written last.

    Raises:
        InputError: there is none, or it is compressed.
        DependencyError: it needs a package that is not installed.
    """
    if path.is_file():
        if path.suffix.lower() in COMPRESSED:
            raise InputError(f"{path} is compressed", "Unpack it, and give the file that was in it")
        for format in FORMATS:
            if format.recognises(path):
                return Found(path, format).reader()
    elif path.is_dir():
        logs = [*find_logs(path)]
        if logs:
            return max(logs, key=Found.modified).reader()
    raise InputError(
        f"{path} is neither a run nor a log that can be read",
        "Give the folder of a run, event files of TensorBoard, trainer_state.json, "
        "or a CSV or JSON lines file with a column step or epoch",
    )
