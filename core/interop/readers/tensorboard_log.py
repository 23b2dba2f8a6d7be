"""A log directory of TensorBoard, read while it grows, with TensorBoard's own reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import DependencyError
from core.events import Event
from core.interop.readers.rows import StepRows

__all__ = ["BoardLog", "event_folders"]

PATTERN = "*tfevents*"


class BoardLog:
    """Reads all event files in a folder and the folders in it, whose names become part of the tags.

    Raises:
        DependencyError: tensorboard is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = StepRows("TensorBoard")
        self._loaders: dict[Path, Any] = {}
        self._begun = False
        self._open: tuple[int, float, dict[str, float]] | None = None
        try:
            from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
            from tensorboard.util.tensor_util import make_ndarray
        except ImportError:
            raise DependencyError(
                f"{path} is read with tensorboard, which is not installed",
                'pip install "torchtui[tensorboard]"',
            ) from None
        self._loader, self._as_array = EventFileLoader, make_ndarray

    def read(self) -> list[Event]:
        """The events since the last call. The numbers of the latest step wait until nothing more comes of it."""
        scalars = sorted(self._scalars(), key=lambda scalar: scalar[0])
        events: list[Event] = []
        if scalars and not self._begun:
            self._begun = True
            events.append(self._rows.begin(scalars[0][0]))
        for moment, step, name, value in scalars:
            if self._open is not None and (self._open[0] != step or name in self._open[2]):
                events += self._close()
            if self._open is None:
                self._open = (step, moment, {})
            self._open[2][name] = value
        if not scalars and self._open is not None:
            events += self._close()
        return events

    def _close(self) -> list[Event]:
        assert self._open is not None
        row, self._open = self._open, None
        return list(self._rows.take(*row))

    def _scalars(self) -> Iterator[tuple[float, int, str, float]]:
        """Time, step, name and value of what is new."""
        for file in sorted(filter(Path.is_file, self.path.rglob(PATTERN))):
            if file not in self._loaders:
                self._loaders[file] = self._loader(str(file))
            folder = file.parent.relative_to(self.path).as_posix()
            prefix = "" if folder == "." else f"{folder}/"
            for event in self._loaders[file].Load():
                for value in event.summary.value:
                    array = self._as_array(value.tensor) if value.HasField("tensor") else None
                    if array is not None and array.size == 1 and array.dtype.kind in "fiu":
                        yield event.wall_time, event.step, prefix + value.tag, float(array)


def event_folders(path: Path) -> dict[Path, float]:
    """Folders at or under `path` that hold event files, the one written last first, with the seconds when it was."""
    files = [(file.stat().st_mtime, file.parent) for file in path.rglob(PATTERN) if file.is_file()]
    written = {folder: seconds for seconds, folder in sorted(files)}
    return dict(sorted(written.items(), key=lambda found: -found[1]))
