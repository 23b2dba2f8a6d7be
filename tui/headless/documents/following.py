"""A run, or a log of another tool, as JSON lines while it grows."""

import time

from core.events import Event, to_json
from core.interop.readers.following import ForeignLog
from core.interop.readers.importing import ALIVE_SECONDS
from core.runs.folder import Run
from core.runs.lock import is_held
from core.runs.log import LogReader
from core.runs.summary import summarise
from core.status import is_active
from tui.runtime.streams import print_result

__all__ = ["print_events"]

POLL_SECONDS = 0.5


def print_events(found: Run | ForeignLog) -> None:
    """Print the events of a run, those that are there and those that come, to its end.

    A run has ended when no process trains it; a log of another tool when nothing was added for some minutes.

    Raises:
        RunDamaged: the log cannot be read on.
    """
    if isinstance(found, ForeignLog):
        _print_log(found)
    else:
        _print_run(found)


def _print_run(run: Run) -> None:
    reader = LogReader(run.log_file)
    while True:
        is_trained, before = (
            is_held(run) or is_active(summarise(run).status),
            reader.offset,
        )  # asked before reading: what it wrote last is not missed
        _print(reader.read(), run.id)
        if reader.offset > before:
            continue
        if not is_trained:
            return
        time.sleep(POLL_SECONDS)


def _print_log(log: ForeignLog) -> None:
    name, latest = log.path.absolute().name, 0.0
    while True:
        events = log.read()
        _print(events, name)
        if events:
            latest = events[-1].time
        elif time.time() - latest > ALIVE_SECONDS:
            return
        else:
            time.sleep(POLL_SECONDS)


def _print(events: list[Event], name: str) -> None:
    for event in events:
        print_result(to_json(event, name))
