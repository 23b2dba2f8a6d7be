"""A run that a job of Slurm trains, followed through its log and the queue, stopped and cancelled."""

import threading
import time
from collections.abc import Sequence

from core.control import Request
from core.errors import TorchtuiError
from core.events import Event, Notice, RunFinished, RunStarted
from core.runs.folder import Run
from core.runs.jobs.following import ask_about_jobs, end_jobs, request_of_job
from core.runs.jobs.record import job_of
from core.runs.jobs.standing import after_a_stop, standing, standing_after
from core.runs.lock import has_locks, is_held
from core.status import is_active, is_starting
from tui.runtime.hosts.log_host import LogHost
from tui.runtime.user_queue.runs import leave_queue, place_in_queue
from tui.terminal.jobs import job_text

__all__ = ["JobAsker", "JobHost", "follower", "stop_job"]

ASK_SECONDS = 5.0
"""How often Slurm is asked about jobs that are watched: its controller serves many."""
STOP_SECONDS = 600.0
"""For which a run that was stopped may save before its job is left to end by itself."""


def follower(run: Run) -> LogHost:
    """Return what follows a run that another process trains, that waits in the queue, or that has ended."""
    if number := place_in_queue(run):
        from tui.runtime.hosts.queued import QueuedHost  # what adds to the queue is not needed otherwise

        return QueuedHost(run, number)
    return JobHost(run) if job_of(run) is not None else LogHost(run)


def stop_job(run: Run, seconds: float = STOP_SECONDS) -> None:
    """Ask a run to save and stop, and then cancel its job, if it has one of its own; blocks until that is done.

    One that waits in the queue of the user leaves it.

    Args:
        seconds: for which the run may save; then the job is left to end by itself.

    Raises:
        RunError: nothing trains it, or Slurm refuses.
        SlurmSilent: Slurm does not answer.
    """
    if leave_queue(run):
        return
    end_jobs({run: request_of_job(run, "stop")}, seconds)


class JobAsker:
    """Asks Slurm about the jobs of runs now and then, on a thread of its own, since it may be silent for long.

    Attributes:
        problem: why nothing is known of the jobs now; empty if Slurm answered.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._next = 0.0
        self._asking = threading.Lock()

    def ask(self, runs: Sequence[Run]) -> None:
        """Ask, unless that is being done or was done just now; the runs' folders say what has changed."""
        if runs and time.monotonic() >= self._next and self._asking.acquire(blocking=False):
            threading.Thread(target=self._ask, args=(runs,), name="slurm", daemon=True).start()

    def _ask(self, runs: Sequence[Run]) -> None:
        try:
            self.problem = ask_about_jobs(runs)
        finally:
            self._next = time.monotonic() + ASK_SECONDS
            self._asking.release()


class JobHost(LogHost):
    """Follows a run that a job of Slurm trains, through its log and through what Slurm says of the job."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._asker = JobAsker()
        self._latest, self._ended, self._alive = 0.0, False, True
        self._stopped = False
        self._refused = ""
        self._told: set[str] = set()
        self._look()

    @property
    def alive(self) -> bool:
        return self._alive

    def drain(self) -> list[Event]:
        self._asker.ask([self.run])
        events = super().drain()
        for event in events:
            self._latest = event.time
            if isinstance(event, RunStarted | RunFinished):
                self._ended = isinstance(event, RunFinished)
                self._stopped = isinstance(event, RunFinished) and event.status == "stopped"
        return [*events, *self._look()]

    def request(self, request: Request) -> None:
        threading.Thread(target=self._request, args=(request,), name="slurm", daemon=True).start()

    def _request(self, request: Request) -> None:
        try:
            if request == "stop":
                stop_job(self.run)
            else:
                request_of_job(self.run, request)
        except TorchtuiError as error:
            self._refused = error.message

    def _look(self) -> list[Event]:
        """Look how run and job stand, and return what there is to say about it, once."""
        record, held, now = job_of(self.run), is_held(self.run), time.time()
        if record is None:
            self.note, self.place, self._alive = "", "", held
            return []
        if self._ended:
            found = standing_after(self.run, record, self._latest)
        else:
            found = standing(self.run, record, self._latest, held=held, locks=has_locks(self.run))
        ended = after_a_stop(self.run, record, self._latest) if self._stopped else ""
        status, error = found or ("", ended)
        self.place = job_text(record.job, now)
        self.starting = "pending" if status == "pending" else "preparing"
        self.note = self.place if is_starting(status) else ""
        self._alive = is_active(status) if found else held and not self._ended
        said = {error, self._asker.problem, self._refused} - self._told - {""}
        self._told |= said
        return [Notice(level="error", message=message) for message in said]
