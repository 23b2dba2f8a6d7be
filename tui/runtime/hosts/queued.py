"""The queue of the user, in which a run waits until a device is free."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.control import Request
from core.counting import counted
from core.errors import TorchtuiError
from core.events import Event
from core.runs.folder import Run
from tui.runtime.hosts.host import TUI, Host, Started, WantedRun, new_folders
from tui.runtime.hosts.log_host import LogHost
from tui.runtime.user_queue.adding import add_runs, place_of, remove
from tui.runtime.user_queue.entries import Entry, Lineup
from tui.runtime.user_queue.store import read_lineup

__all__ = ["Queued", "QueuedHost"]

LOOK_SECONDS = 1.0


class Queued(Host):
    """The queue of this machine: the run starts when a device is free, also after you have logged out."""

    TITLE: ClassVar = "the queue"
    APART: ClassVar = True
    AT_ONCE: ClassVar = False
    name: Literal["queue"] = "queue"
    gpus_needed: Literal["auto"] | Annotated[int, Field(ge=0, le=64)] = "auto"
    """GPUs that it waits for, and has alone; auto: one where this machine has some."""

    def start(self, wanted: WantedRun) -> Started:
        return self.start_all([wanted], ())

    def start_all(self, wanted: Sequence[WantedRun], repeats: Sequence[str]) -> Started:
        gpus = None if self.gpus_needed == "auto" else self.gpus_needed
        with new_folders(wanted) as runs:
            entries = add_runs([replace(one, run=run) for one, run in zip(wanted, runs, strict=True)], gpus)
        run, number = runs[0], entries[0].id
        host = QueuedHost(run, number)
        if len(entries) == 1:
            message = f"{run.id} is entry {number} of the queue"
            return Started(host, message, (TUI, "queue", "remove", str(number)))
        message = f"{len(entries)} runs are entries {number} to {entries[-1].id} of the queue"
        return Started(host, message, others=runs[1:])


class QueuedHost(LogHost):
    """Follows a run of the queue: its place while it waits, then its log."""

    starting = "pending"

    def __init__(self, run: Run, number: int) -> None:
        super().__init__(run)
        self.number, self._waits, self._next = number, True, 0.0
        self._look()

    @property
    def alive(self) -> bool:
        return self._waits or super().alive

    def drain(self) -> list[Event]:
        self._look()
        return super().drain()

    def request(self, request: Request) -> None:
        """Take a run that waits out of the queue when it is to stop; pass all else on to what trains it."""
        if self._waits and request == "stop":
            try:
                remove(self.number)
            except TorchtuiError:  # it has started meanwhile
                super().request(request)
            self._next = 0.0
        else:
            super().request(request)

    def _look(self) -> None:
        """Look now and then where the run is in the queue."""
        if not self._waits or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        with suppress(TorchtuiError):  # a file that is being written, or damaged: the queue itself says so
            lineup = read_lineup()
            entry = next((entry for entry in lineup.entries if entry.id == self.number), None)
            self._waits = entry is not None and entry.state == "waiting"
            self.note = _place(lineup, entry) if entry is not None and self._waits else ""


def _place(lineup: Lineup, entry: Entry) -> str:
    """Return the place of an entry, and what the queue waits for."""
    ahead = place_of(lineup, entry) - 1
    if ahead > 0:
        return f"waits behind {counted(ahead, 'other')} in the queue"
    return f"next in the queue{f': {lineup.note}' if lineup.note else ''}"
