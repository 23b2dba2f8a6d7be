"""A run that another process trains, or that has ended, followed through its log."""

import subprocess

from core.control import Request
from core.errors import RunError
from core.events import Event
from core.files.reading import read_tail
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.lock import is_held
from core.runs.log import LogReader
from core.runs.requests import send
from tui.runtime.growth import size_of

__all__ = ["LogHost"]


class LogHost:
    """Follows a run that another process trains, or that has ended, through its event log.

    Args:
        process: the process just launched to start or resume the run.
    """

    silent = "interrupted"
    starting = "preparing"
    obeys = True

    def __init__(self, run: Run, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.run = run
        self.note = "starting a background process" if process else ""
        self.error: BaseException | None = None
        self.place = ""
        self.reader = LogReader(run.log_file)
        self._process = process
        self._said_before = size_of(run.log_file) if process else 0

    @property
    def name(self) -> str:
        return title_of(self.run.path)

    @property
    def alive(self) -> bool:
        return self._starting or is_held(self.run)

    def drain(self) -> list[Event]:
        ended = (
            self._process is not None and not self._starting
        )  # checked before reading, so that no event is missed
        events = self.reader.read()
        if self.reader.offset > self._said_before:
            self.note, self.error = "", None
        elif ended and not events and self.note and self.error is None:
            self.error = RunError("the background process exited before training started", self._last_words())
        return events

    def request(self, request: Request) -> None:
        send(self.run, request)

    @property
    def _starting(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def join(self, timeout: float) -> bool:
        return True

    def _last_words(self) -> str:
        lines = read_tail(self.run.console_file).strip().splitlines()
        return lines[-1] if lines else ""
