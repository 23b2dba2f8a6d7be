"""Console of a run that the app trains: what is printed meanwhile is kept with the run, on a thread of its own."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.files.atomic import creating
from core.files.console import ConsoleLog, kept_bounded
from core.files.reading import open_plain

if TYPE_CHECKING:
    from pathlib import Path

    from core.runs.folder import Run

__all__ = ["RunConsole", "bounded_output", "print_into"]

POLL_SECONDS = 0.25
MAX_EARLY = 1 << 16
"""Bytes that are kept of what was printed while no run had a folder; the next run gets them."""
MAX_READS = 16
"""Reads of a poll: a program that prints for ever must not keep it for ever."""
CLOSE_SECONDS = 2.0


class RunConsole:
    """Keeps what is printed with the run that is being trained, or, until there is one, for the next run.

    Args:
        read: returns what was printed since its last call; see `tui.runtime.capture.Capture`.
        run: returns the run that is being trained in this process now, if it has a folder.
        tell: is told once per run, in one line, why its output cannot be kept.

    Attributes:
        open_text: the last line of its output, which has not ended and is not in its file.
    """

    def __init__(
        self, read: Callable[[], bytes], run: "Callable[[], Run | None]", tell: Callable[[str], None]
    ) -> None:
        self.open_text = ""
        self._read, self._run, self._tell = read, run, tell
        self._early, self._told = b"", False
        self._log: ConsoleLog | None = None
        self._lock, self._closed = threading.RLock(), threading.Event()
        self._thread = threading.Thread(target=self._poll_on, name="console", daemon=True)

    def start(self) -> None:
        """Start to keep what is printed."""
        self._thread.start()

    def poll(self) -> None:
        """Keep what was printed since the last time.

        To be called before another process prints into the file of the run.
        """
        with self._lock:
            run = self._run()
            ended = self._log is not None and (run is None or run.console_file != self._log.path)
            for _ in range(MAX_READS):
                if printed := self._read():
                    self._keep(printed)
                else:
                    break
            if ended and self._log is not None:
                self._log.close()
                self._log = None
            if run is not None and self._log is None:
                self._log = ConsoleLog(run.console_file)
                self._told = False
                self._keep(self._early)
                self._early = b""
            self.open_text = self._log.open_text if self._log is not None else ""

    def close(self) -> None:
        """Keep the rest, and stop; a disk that hangs is not waited for."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._run = lambda: None
            self.poll()

    def _keep(self, printed: bytes) -> None:
        if self._log is not None:
            self._log.write(printed)
            if self._log.problem and not self._told:
                self._told = True
                self._tell(f"printed output is not kept: cannot write {self._log.path}: {self._log.problem}")
        else:
            self._early = (self._early + printed)[-MAX_EARLY:]

    def _poll_on(self) -> None:
        while not self._closed.wait(POLL_SECONDS):
            self.poll()


@contextmanager
def bounded_output(console: "Path | None") -> Iterator[None]:
    """Context manager in which a console file is kept bounded, if this process prints into it."""
    if console is None or not _prints_into(console):
        yield
        return
    with kept_bounded(console):
        yield


def print_into(console: "Path", before: "Path") -> None:
    """Let what this process prints from now on go to a console file, if it prints into another one now.

    Raises:
        RunError: the file cannot be written.
    """
    if not _prints_into(before):
        return
    sys.stdout.flush()
    with creating(console):
        handle = open_plain(console, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def _prints_into(console: "Path") -> bool:
    try:
        return os.path.samestat(os.fstat(1), os.stat(console))
    except OSError:
        return False
