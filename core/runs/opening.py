"""The test split of a run: whether somebody has opened it on purpose, and what it showed then.

A run evaluates its test split at its end, but lists and screens leave those numbers out until somebody asks for them:
who looks at them while choosing between runs has no unseen data left.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from core.errors import RunError
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.runs.folder import Run, ensure_plain

__all__ = ["Opening", "is_test_open", "opening_of", "record_test_opening"]

MAX_BYTES = 100_000


@dataclass(frozen=True)
class Opening:
    """The latest time that the test split was opened, in seconds since 1970, and its metrics; None for undefined."""

    time: float
    metrics: dict[str, float | None]


def is_test_open(run: Run) -> bool:
    """Return whether somebody has opened the test split of a run on purpose."""
    return os.path.isfile(run.opened_file)


def opening_of(run: Run) -> Opening | None:
    """Return what the test split showed when it was opened last; None if it never was.

    A file that cannot be read counts as an opening that showed nothing.
    """
    if not is_test_open(run):
        return None
    try:
        values = json.loads(read_bytes(run.opened_file, limit=MAX_BYTES))
        metrics = {
            str(name): None if value is None else float(value) for name, value in values["metrics"].items()
        }
        return Opening(float(values["time"]), metrics)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Opening(0.0, {})


def record_test_opening(run: Run, metrics: Mapping[str, float | None]) -> None:
    """Note in the folder of a run that its test split was opened; where nothing can be written, do nothing."""
    before = opening_of(run)
    if before is not None and before.metrics == dict(metrics):
        return
    text = json.dumps({"time": time.time(), "metrics": dict(metrics)}).encode()
    with suppress(RunError, OSError):
        ensure_plain(run)
        write_atomically(run.opened_file, lambda file: file.write(text))
        os.utime(run.log_file)  # lists read a run again when its log has changed, and look at no other file
