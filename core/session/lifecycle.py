"""The life of a run: claimed by its caller, prepared, given a folder, trained, evaluated and recorded.

    with claimed(run, control):                 an existing run; another process cannot train it meanwhile
        started = start_or_resume(...)          data and model are loaded, and everything is known to fit
        started.train(...)                      a new run has its folder now, and is claimed in turn

The command line, the app and the trials of a study all start, resume and end their runs here.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.dataset import Progress
from core.errors import RunError, RunLocked, TorchtuiError
from core.events import RunFinished
from core.gpus.process import release_gpu, take_gpu
from core.observers.settings import ALONE, Extras
from core.remedies import WATCH
from core.runs.checkpoints import FolderCheckpoints, State
from core.runs.folder import Run
from core.runs.jobs.record import note_job
from core.runs.log import EventLog
from core.runs.requests import claimed
from core.runs.summary import summarise
from core.session.preparation import Prepared
from core.session.resume import resume_state, settle_choice
from core.session.session import Emit, execute, new_run

__all__ = ["StartedRun", "start_or_resume"]


@dataclass(frozen=True)
class StartedRun:
    """A run that is ready to be trained.

    Attributes:
        state: the checkpoint to resume from; None to train from the start.
        is_new: true if its folder was made just now; nobody has claimed it yet.
    """

    prepared: Prepared
    run: Run
    state: State | None
    is_new: bool

    def train(
        self,
        *,
        emit: Emit,
        control: RunControl,
        extras: Extras = ALONE,
        baselines: bool = True,
        intervals: bool = True,
        written: TrainConfig | None = None,
    ) -> RunFinished:
        """Train and evaluate; see `core.session.session.execute`.

        Raises:
            RunLocked: another process has claimed the new run first.
        """
        with claimed(self.run if self.is_new else None, control):
            if self.is_new and self.run.log_file.exists():
                raise RunLocked(f"{self.run.id} was trained by another process meanwhile", (WATCH,))
            try:
                return execute(
                    self.prepared,
                    self.run,
                    emit=emit,
                    control=control,
                    state=self.state,
                    extras=extras,
                    is_claimed=True,
                    baselines=baselines,
                    intervals=intervals,
                    written=written,
                )
            finally:
                release_gpu()


def start_or_resume(
    config: TrainConfig,
    run: Run | None,
    runs_dir: Path,
    *,
    prepare: Callable[[Progress], Prepared],
    on_progress: Progress,
    control: RunControl,
    name: str = "",
    together: str = "",
) -> StartedRun | None:
    """Prepare a run; a new one then gets its folder.

    If an existing run cannot be prepared, its log says why. If it is stopped before that, its log says so, unless it is
    complete.

    Args:
        run: an existing run that the caller has claimed; None starts a new one in `runs_dir`.
        prepare: loads data and model, and reports its progress.
        on_progress: takes that progress.
        control: ends the preparation when it asks to stop.
        name: what the user calls a new run.
        together: the start of several runs that a new one belongs to, see `core.runs.origin.together`.

    Returns:
        The run, ready to be trained; None if it was stopped before that: a new run has no folder then.

    Raises:
        TorchtuiError: something does not fit; no folder was made.
    """

    def report(what: str, done: int, total: int) -> None:
        _ensure_not_stopped(control)
        on_progress(what, done, total)

    state = resume_state(run, config) if run else None
    if run is not None:
        note_job(run)
    try:
        take_gpu(config.training.device)
        prepared = prepare(report)
        if prepared.group.size == 1:  # several processes can only agree to stop once they train
            _ensure_not_stopped(control)
        if run is not None and state is not None:  # before others are told that it trains
            settle_choice(state, FolderCheckpoints(run, prepared.config.checkpoints))
    except TorchtuiError as error:
        release_gpu()
        if not control.stop_requested:
            if run is not None:
                _record_end(run, RunFinished(status="failed", error=str(error)))
            raise
        if run is not None and summarise(run, as_left=True).status != "completed":
            _record_end(run, RunFinished(status="stopped"))
        return None
    existing = (
        Run(run.path) if run else None
    )  # trained on, and evaluated with its best weights, like any other
    trained = existing or new_run(prepared, runs_dir, name, together)
    return StartedRun(prepared, trained, state, is_new=run is None)


def _ensure_not_stopped(control: RunControl) -> None:
    if control.stop_requested:
        raise RunError("stopped before training started")


def _record_end(run: Run, finished: RunFinished) -> None:
    """Log how a run ended before it was trained; if the log fails too, the reason itself matters more."""
    with suppress(RunError):
        log = EventLog(run)
        log.write(finished)
        log.close()
