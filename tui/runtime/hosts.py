"""Hosts of a run: this app's worker thread, or another process followed through its log.

Both hosts look the same to the screens: events come out, requests go in.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from core.config.schema import TrainConfig
from core.control import Request, RunControl
from core.errors import RunError, RunLocked, TorchtuiError
from core.events import Event, Notice, RunFinished
from core.files.reading import open_plain, read_tail
from core.observers.settings import Extras, ensure_possible
from core.runs.code import agreed_code
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.lock import HANDED_OVER, hold, is_held
from core.runs.log import LogReader
from core.runs.requests import claimed, send
from core.safe_path import TUI_COMMAND
from core.session.preload import load_backend
from core.training.worker import TrainingWorker
from core.user_code.trust import AGREED
from tui.terminal.text import progress_line

__all__ = ["AppHost", "LogHost", "RunHost", "agreed_digests", "launch_in_background", "launched"]

SPARE_CORES = 1
"""Threads that ``threads: auto`` leaves free in the app, for the screens."""


class RunHost(Protocol):
    """One run, wherever it is trained.

    Attributes:
        run: None until its folder exists.
        name: what the run is called.
        note: current step of preparation, such as a download, until the first event after a start or resume.
        error: why it could not start.
        obeys: whether its trainer accepts requests.
        silent: status to show when nothing trains it and its log does not record how it ended.
    """

    note: str

    @property
    def run(self) -> Run | None:
        """See above."""

    @property
    def silent(self) -> str:
        """See above."""

    @property
    def obeys(self) -> bool:
        """See above."""

    @property
    def error(self) -> BaseException | None:
        """See above."""

    def drain(self) -> list[Event]:
        """Return the events since the last call; never block."""

    def request(self, request: Request) -> None:
        """Send a request to the training process."""

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for training in this process to finish; return whether it has."""

    @property
    def name(self) -> str:
        """See above."""

    @property
    def alive(self) -> bool:
        """Return whether something still trains."""


class AppHost:
    """Trains on core's background worker thread in this process."""

    silent = "interrupted"
    obeys = True

    def __init__(
        self,
        config: TrainConfig,
        runs_dir: Path,
        data_root: Path | None,
        run: Run | None = None,
        given_name: str = "",
    ) -> None:
        self.config, self.runs_dir, self.data_root = config, runs_dir, data_root
        self.given_name = given_name
        self.run = run
        self.note = "loading PyTorch"
        self.worker = TrainingWorker(self._work)
        self.worker.start()

    @property
    def name(self) -> str:
        return title_of(self.run.path) if self.run else self.given_name or "new run"

    @property
    def error(self) -> BaseException | None:
        return self.worker.error

    @property
    def alive(self) -> bool:
        return not self.worker.finished.is_set()

    def drain(self) -> list[Event]:
        return self.worker.drain()

    def request(self, request: Request) -> None:
        self.worker.control.obey(request)

    def warn(self, message: str) -> None:
        """Add a warning to the events; callable from any thread."""
        self.worker.tell(Notice(level="warning", message=message))

    def join(self, timeout: float) -> bool:
        return self.worker.join(timeout)

    def _work(self, emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        with claimed(self.run, control):  # before torch is imported, which takes seconds
            load_backend()
            from core.session import session
            from core.session.lifecycle import start_or_resume

            extras = Extras.from_environment()
            ensure_possible(extras)
            self.note = "loading data"
            prepare = partial(
                session.prepare, self.config, self.data_root, spare_cores=SPARE_CORES, run=self.run
            )
            started = start_or_resume(
                self.config,
                self.run,
                self.runs_dir,
                prepare=prepare,
                on_progress=self._show_progress,
                control=control,
                name=self.given_name,
            )
            self.note = ""
            if started is None:
                emit(stopped := RunFinished(status="stopped"))
                return stopped
            self.run = started.run
            return started.train(emit=emit, control=control, extras=extras)

    def _show_progress(self, what: str, done: int, total: int) -> None:
        self.note = progress_line(what, done, total)


class LogHost:
    """Follows a run that another process trains, or that has ended, through its event log.

    Args:
        process: the process just launched to start or resume the run.
    """

    silent = "interrupted"
    obeys = True

    def __init__(self, run: Run, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.run = run
        self.note = "starting a background process" if process else ""
        self.error: BaseException | None = None
        self.reader = LogReader(run.log_file)
        self._process = process
        self._said_before = _size(run.log_file) if process else 0

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


def _size(path: Path) -> int:
    """Bytes; 0 if there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def launch_in_background(
    run: Run, data_root: Path | None, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Train an existing run, from its last checkpoint or from the start, in a process in its own session.

    It survives this process and its terminal; what it prints goes to the run's console file.

    Args:
        environment: of that process; None for that of this one.

    Raises:
        RunError: the run's folder cannot be written.
    """
    try:
        with hold(run) as lock:  # the new process holds it before this one lets go
            return launched(run, data_root, lock, environment)
    except RunLocked:  # by a step in this process that lasts until the process exits
        return launched(run, data_root, None, environment)


def launched(
    run: Run, data_root: Path | None, lock: int | None = None, given: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Train as `launch_in_background` does, with a lock that this process holds.

    Args:
        lock: the open lock of the run, which the new process takes over.
        given: environment of that process; None for that of this one.
    """
    command = [*TUI_COMMAND, "train", "--no-ui", "--resume", str(run.path.resolve())]
    command += ["--data-root", str(data_root)] if data_root is not None else []
    environment = {**(os.environ if given is None else given), AGREED: " ".join(agreed_digests(run))}
    if lock is not None:
        environment[HANDED_OVER] = str(lock)
    try:
        with os.fdopen(open_plain(run.console_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as console:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
                env=environment,
            )
    except OSError as error:
        raise RunError(f"cannot start a background process for {run.id}: {error}") from error


def agreed_digests(run: Run) -> tuple[str, ...]:
    """Return the programs of a run that may run now: a new process compares what it finds with them."""
    try:
        return agreed_code(run.config(), run)
    except TorchtuiError:  # the new process says what is wrong with its files
        return ()
