"""``trainer_state.json`` of Hugging Face's Trainer: in the output folder, and in each checkpoint of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.files.reading import read_bytes
from core.interop.readers.folders import Folder, folder_at
from core.interop.readers.formats.json_lines import flat_numbers
from core.interop.readers.rows import MAX_STEP, LogRow, LogRows
from core.status import Ending

__all__ = ["TrainerStateSource", "find_trainer_states", "state_files"]

NAME = "trainer_state.json"
CHECKPOINT = re.compile(r"checkpoint-(\d+)")
SUMMARY = "train_runtime"
"""Marks the last entry, which sums up the whole run."""
SETTINGS = ("num_train_epochs", "max_steps", "train_batch_size")


def find_trainer_states(folder: Folder) -> Iterator[Path]:
    """Yield the folder, if it or a checkpoint in it has such a file; nobody looks into the checkpoints then."""
    checkpoints = [name for name in folder.folders if CHECKPOINT.fullmatch(name)]
    if (NAME in folder.files or checkpoints) and state_files(folder.path):
        folder.folders[:] = [name for name in folder.folders if name not in checkpoints]
        yield folder.path


def state_files(path: Path) -> list[Path]:
    """Return the files of a run, or the file itself; the one that is furthest comes last."""
    if path.is_file():
        return [path]
    folder = folder_at(path)
    found = sorted(
        (int(match[1]), path / name / NAME)
        for name in folder.folders
        if (match := CHECKPOINT.fullmatch(name)) and (path / name / NAME).is_file()
    )
    own = [path / NAME] if NAME in folder.files else []
    return [file for _, file in found] + own


class TrainerStateSource:
    """Reads the log history of the latest state; a new one tells more, or, of a restart, tells it anew."""

    tool = "Hugging Face"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self.ending: Ending | None = None
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._told: list[Any] = []
        self._stamp: tuple[object, ...] = ()

    def read(self) -> LogRows:
        """The rows since the last call."""
        files = state_files(self.path)
        try:
            file = max(files, key=lambda each: each.stat().st_mtime_ns)
            found = file.stat()
        except (OSError, ValueError):
            return LogRows()
        stamp = (file, found.st_ino, found.st_size, found.st_mtime_ns)
        if stamp == self._stamp:
            return LogRows()
        self._stamp = stamp
        try:
            state = json.loads(read_bytes(file, follow_links=True))
            history = [entry for entry in state["log_history"] if isinstance(entry, dict)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return LogRows(problems=[f"{file.name} cannot be read: it is damaged, or not written to its end"])
        self.settings = {name: state[name] for name in SETTINGS if isinstance(state.get(name), int | float)}
        self.ending = "completed" if _is_complete(state) else None
        known = len(self._told)
        anew = history[:known] != self._told
        new = history if anew else history[known:]
        self._told = history
        rows = [row for entry in new if (row := _row(entry, found.st_mtime)) is not None]
        return LogRows(rows, anew)


def _row(entry: dict[str, Any], time: float) -> LogRow | None:
    numbers = flat_numbers(entry)
    step = numbers.pop("step", None)
    numbers.pop("epoch", None)
    if step is None or not 0 <= step < MAX_STEP or SUMMARY in numbers or not numbers:
        return None
    return LogRow(int(step), time, numbers)


def _is_complete(state: dict[str, Any]) -> bool:
    step, steps = state.get("global_step"), state.get("max_steps")
    return isinstance(step, int) and isinstance(steps, int) and 0 < steps <= step
