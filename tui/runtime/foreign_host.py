"""A log written by another tool, followed like a run; read on its own thread, since it may be long."""

import queue
import threading
import time

from core.control import Request
from core.errors import RunError, TorchtuiError
from core.events import Event
from core.interop.readers.following import ForeignLog
from core.interop.readers.importing import ALIVE_SECONDS
from core.runs.folder import Run

__all__ = ["ForeignHost"]

POLL_SECONDS = 0.5
MAX_WAITING = 50_000
"""Events that wait to be shown; reading waits then, too."""
MAX_DRAINED = 20_000
"""Events that are shown at once: more of them would keep a key waiting."""


class ForeignHost:
    """Host of a log that another tool writes; that tool accepts no requests."""

    silent = "stopped"
    starting = "preparing"
    place = ""
    obeys = False

    def __init__(self, log: ForeignLog) -> None:
        self.run: Run | None = None
        self.note = f"reading {log.path}"
        self.error: BaseException | None = None
        self.log = log
        self._events: queue.Queue[Event] = queue.Queue(MAX_WAITING)
        self._latest = time.time()
        threading.Thread(target=self._read, name="foreign log", daemon=True).start()

    @property
    def name(self) -> str:
        path = self.log.path.absolute()
        return path.parent.name if path.is_file() else path.name

    @property
    def alive(self) -> bool:
        return self.error is None and time.time() - self._latest < ALIVE_SECONDS

    def drain(self) -> list[Event]:
        events = list[Event]()
        while len(events) < MAX_DRAINED and not self._events.empty():
            events.append(self._events.get_nowait())
        if events:
            self.note = ""
        return events

    def request(self, request: Request) -> None:
        raise RunError(f"{self.name} is written by another tool", f"Use that tool to {request} it")

    def join(self, timeout: float) -> bool:
        return True

    def _read(self) -> None:
        """Read the log until the app quits."""
        try:
            while True:
                events = self.log.read()
                for event in events:
                    self._events.put(event)
                if events:
                    self._latest = events[-1].time
                else:
                    time.sleep(POLL_SECONDS)
        except TorchtuiError as error:
            self.error = error
        except Exception as error:  # a tool's own reader raises what it likes on damaged files
            self.error = RunError(f"{self.log.path} cannot be read: {error}", "Is it damaged?")
