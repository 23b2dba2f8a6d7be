"""The run that a process makes, named to whoever has started the process and wants to know, as the queue does."""

import os
from contextlib import suppress

from core.files.reading import open_plain
from core.runs.folder import Run

__all__ = ["ANNOUNCED", "announce"]

ANNOUNCED = "TUI_ANNOUNCED"
"""Names, to a process that may make a run, a file to which it adds the paths of those that it makes."""


def announce(run: Run) -> None:
    """Name a new run where that was asked for; where nothing can be written, do nothing."""
    path = os.environ.get(ANNOUNCED, "")
    if path:
        with (
            suppress(OSError),
            os.fdopen(open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file,
        ):
            file.write(os.fsencode(run.path.absolute()) + b"\n")
