"""Requests to a run from other processes: a file in its folder, read by the process that trains it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast, get_args

from core.control import Request, RunControl
from core.errors import RunError
from core.files.atomic import creating
from core.files.reading import open_plain, read_text
from core.remedies import LIST_RUNS
from core.runs.folder import Run
from core.runs.lock import hold, is_held

__all__ = ["claimed", "post", "send"]

POLL_SECONDS = 0.2


def send(run: Run, request: Request) -> None:
    """Ask the process that trains `run` for something; it obeys after its current batch.

    Raises:
        RunError: no process trains it, or its folder cannot be written.
    """
    if not is_held(run):
        raise RunError(f"{run.id} is not being trained", (LIST_RUNS,))
    post(run, request)


def post(run: Run, request: Request) -> None:
    """Leave a request for whoever trains `run`, which may not be seen from here.

    Raises:
        RunError: its folder cannot be written.
    """
    with creating(run.requests_file):
        handle = open_plain(run.requests_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with os.fdopen(handle, "w") as file:
            file.write(request + "\n")


@contextmanager
def claimed(run: Run | None, control: RunControl) -> Iterator[None]:
    """Context manager in which this process alone trains `run`, and requests sent to it reach `control`.

    Requests from before are forgotten. A run that has no folder yet (None) cannot be claimed.

    Raises:
        RunLocked: another process trains it; the message says which.
        RunError: its folder cannot be written, or something in it leads out of it.
    """
    if run is None:
        yield
        return
    with hold(run), _obeying(run, control):
        yield


@contextmanager
def _obeying(run: Run, control: RunControl) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=_obey, args=(run, control, ended), name="requests", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _obey(run: Run, control: RunControl, ended: threading.Event) -> None:
    done = 0
    while not ended.wait(POLL_SECONDS):
        try:
            lines = read_text(run.requests_file, errors="replace").splitlines()
        except OSError:
            continue
        for line in lines[done:]:
            if line in get_args(Request):
                control.obey(cast(Request, line))
        done = len(lines)
