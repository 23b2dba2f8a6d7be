"""Makes a run of somebody's own training script: followed live, compared and reported like any other.

with RunWriter("my-run", config={"lr": 0.1}, epochs=10) as run:
    for epoch in range(10):
        for batch in loader:
            ...
            run.log(loss=loss, accuracy=accuracy)
        run.epoch(validation={"loss": ..., "accuracy": ...})
"""

import atexit
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from core.control import RunControl
from core.errors import RunError
from core.events import (
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
)
from core.interop.best_epoch import Best
from core.interop.script_files import ensure_readable, make_folder
from core.interop.script_media import ScriptMedia
from core.interop.script_progress import ScriptProgress
from core.interop.script_results import ScriptResults
from core.interop.script_resume import Resumed, run_to_resume, state_of
from core.interop.script_run import Kept, NotKept, ScriptRun
from core.interop.script_settings import directions_of, number_of, settings_of
from core.interop.step_counter import whole_step
from core.metrics import lower_is_better
from core.runs.creating import write_sections
from core.runs.folder import Run, default_runs_dir
from core.runs.script import script_sections
from core.status import Ending
from core.torchrun import is_first

__all__ = ["RunWriter"]


class RunWriter(ScriptMedia, ScriptResults):
    """One run in the folder of the runs, started at once and ended by ``close``, a ``with`` block, or the script's end.

    An exception ends it as failed, Ctrl-C and ``sys.exit`` as stopped, a loss that is still NaN as diverged. A script
    that is killed leaves an interrupted run. Numbers may be floats or tensors of one value; a tensor is read about ten
    times a second, so that a GPU is not waited for in between.

    Several threads may use it: calls are taken one after the other. A process forked from the one that made it may not:
    there it refuses all calls but ``close``, which does nothing, so that the end of a fork never ends the run. Of the
    processes of one ``torchrun`` the first writes the run; in the others all calls do nothing.

    Args:
        name: what the run is called; its folder adds the date and three letters.
        config: any settings, nested or flat, as a mapping, ``argparse.Namespace``, dataclass or pydantic model; they
            are shown, compared and searched for.
        epochs, steps_per_epoch: how many there will be; 0 when unknown.
        task: ``binary``, ``multiclass``, ``regression``, or empty.
        classes: their names. samples: how many each split has. parameters: of the model.
        device: what it is trained on, such as ``cuda:0``.
        monitor: the metric of validation, or else of training, that chooses the best epoch; by default ``loss``.
        mode: whether the least or the most of it is the best; it may be left out for common names, such as ``f1``.
        higher_is_better: the direction of other metrics by name, for comparisons of runs.
        console: keep what the script prints in the run's ``console.log``, too; see `ScriptConsole`.
        resume: an earlier run of a script that this one continues, by name, id or path; or True: the newest of this
            script and name, if there is one. It continues after its last checkpoint, or where its log ends:
            `epochs_done`, `step` and `load_checkpoint` tell where.
        runs_dir: where runs live; by default ``TUI_RUNS`` or ``./runs``.

    Raises:
        RunError: the folder cannot be written, or there is no such run to resume.
        RunLocked: another process writes the run to be resumed.
        DataError: a number is negative, or the direction of `monitor` is not known.
        InputError: a variable of the environment such as ``TUI_LOG`` does not fit.
    """

    def __init__(
        self,
        name: str,
        config: Any = None,
        *,
        epochs: int = 0,
        steps_per_epoch: int = 0,
        task: str = "",
        classes: Sequence[str] = (),
        samples: Mapping[str, int] | None = None,
        parameters: int = 0,
        device: str = "",
        monitor: str = "loss",
        mode: Literal["min", "max"] | None = None,
        higher_is_better: Mapping[str, bool] | None = None,
        console: bool = False,
        resume: bool | str | Path = False,
        runs_dir: Path | str | None = None,
    ) -> None:
        self.script = script = Path(sys.argv[0]).name or "python"
        sections = script_sections(settings_of(config), script)
        directions = directions_of(monitor, mode, higher_is_better or {})
        folder = Path(runs_dir or default_runs_dir())
        earlier = run_to_resume(folder, name, script, resume) if is_first() else None
        best = Best(monitor, lower_is_better(monitor, directions))
        state = None if earlier is None else state_of(earlier, best)
        if state is not None and config is None:
            sections = state.started.config
        started = RunStarted(
            monitor=monitor,
            higher_is_better=directions,
            config=sections,
            task=task,
            samples=dict(samples or {}),
            classes=list(classes),
            sample_shape=[],
            parameters=parameters,
            device=device,
            threads=0,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            epoch=state.epochs if state else 0,
            step=state.step if state else 0,
            pid=os.getpid(),
            host=socket.gethostname(),
        )
        ensure_readable(started)
        self.control = RunControl()
        self._closed = False
        self._lock, self._process = threading.RLock(), os.getpid()
        self.classes, self.task = list(classes), task
        self._progress = ScriptProgress(
            self._emit,
            best,
            started,
            lr=number_of(sections.get("optimizer", {}).get("lr")),
            batch_size=number_of(sections.get("training", {}).get("batch_size")),
        )
        self._kept: Kept = NotKept("this process of a job")
        if is_first():
            from core.observers.settings import Extras

            extras = Extras.from_environment()  # where one is wrong, no folder is made
            run = earlier or make_folder(folder, name, sections)
            kept = self._kept = ScriptRun(run, self.control, device, extras, console=console)
            kept.begin(started)
            if state is not None:
                self._take_over(run, state, sections)
        atexit.register(self._end_with_the_script)

    @property
    def run(self) -> Run:
        """The run's folder.

        Raises:
            RunError: this is one of several processes, and not the one that writes the run.
        """
        return self._kept.run

    @property
    def writes(self) -> bool:
        """Return whether this process writes the run: of several processes of one job only the first does."""
        return isinstance(self._kept, ScriptRun)

    @property
    def closed(self) -> bool:
        """Return whether the run has ended."""
        return self._closed

    @property
    def step(self) -> int:
        """Steps done since the start of the run."""
        return self._progress.step

    @property
    def epochs_done(self) -> int:
        """Epochs done since the start of the run."""
        return self._progress.epochs_done

    @property
    def stop_requested(self) -> bool:
        """Return whether somebody asked this run to end, from a terminal or in the app; heed it by leaving the loop."""
        return self.control.stop_requested

    def log(
        self,
        metrics: Mapping[str, Any] | None = None,
        /,
        *,
        step: int | None = None,
        lr: float | None = None,
        n: int = 1,
        **more: Any,
    ) -> None:
        """Log the metrics of one training step; call it as often as you like.

        Names may carry their split, as in ``train/loss``, ``val_accuracy`` or ``lr``; others are of training. Values of
        validation belong to the epoch that ``epoch`` ends next; where a script never calls it, they end an epoch.

        Args:
            metrics: names such as ``loss`` and ``accuracy`` to numbers; they may be keywords, too.
            step: steps done since the start of the run, or of the epoch; by default calls are counted. Several calls
                for one step belong to that step.
            lr: learning rate of this step; by default that of the last time.
            n: samples that the metrics are means of; means over steps are weighted by it.

        Raises:
            DataError: a value is not a number, or `step` or `n` not a count.
        """
        values = {**(metrics or {}), **more} if more or metrics is None else metrics
        with self._alone():
            self._ensure_open()
            self._progress.log(values, step, lr, n)
            if self.control.attention:
                self._attend()

    def epoch(
        self,
        train: Mapping[str, Any] | None = None,
        validation: Mapping[str, Any] | None = None,
        *,
        confusion: Sequence[Sequence[int]] = (),
    ) -> None:
        """Log the end of an epoch and its validation.

        The best epoch is the one with the lowest loss, or the best `monitor`: of validation, or else of training.

        Args:
            train: by default the means of what was logged in this epoch.
            validation: empty when nothing is held out.
            confusion: of validation, rows true, columns predicted.

        Raises:
            DataError: the confusion matrix is not square, or holds a value that is not a count.
        """
        with self._alone():
            self._ensure_open()
            self._progress.end_epoch(train, validation, confusion)

    def notice(self, message: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Log a message of the run."""
        with self._alone():
            self._emit(Notice(level=level, message=message))

    def close(self, status: Ending | None = None, error: str = "", trace: str = "") -> None:
        """End the run; calls after the first do nothing.

        Args:
            status: by default completed, stopped if somebody asked for it, or diverged if the last loss was NaN.
        """
        if os.getpid() != self._process:
            return
        with self._alone():
            if self._closed:
                return
            self._progress.end()
            ending: Ending = "stopped" if self.stop_requested else "completed"
            if self._progress.diverged:
                ending, error = "diverged", error or self._progress.diverged
            self._closed = True
            atexit.unregister(self._end_with_the_script)
            self._kept.end(RunFinished(status=status or ending, error=error, traceback=trace))

    def fail(self, error: BaseException) -> None:
        """End the run with what was raised: stopped by Ctrl-C or ``sys.exit``, else failed."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self.close("stopped")
        else:
            text = f"{type(error).__name__}: {error}"
            self.close("failed", text, "".join(traceback.format_exception(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.fail(error)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Context manager in which no other thread writes.

        Raises:
            RunError: this process is a fork of the one that made the run.
        """
        if os.getpid() != self._process:  # before the lock: the thread that held it may not be in the fork
            raise RunError(
                f"{self.run.id} is written by process {self._process}, and this is a fork of it",
                "Log in that process, or create another RunWriter here",
            )
        with self._lock:
            yield

    def _keep_checkpoint(self, state: Mapping[str, Any]) -> None:
        with self._alone():
            self._kept.checkpoint(state, self.epochs_done, self.step, self._progress.best)

    def _keep_evaluation(self, predictions: Any, report: Any) -> None:
        with self._alone():
            self._ensure_open()
            self._kept.evaluation(predictions, report)

    def _look_at(self, name: str, item: Any, step: int | None) -> None:
        with self._alone():
            self._ensure_open()
            shown_at = self.step if step is None else whole_step(step)
            self._kept.media(name, item, step=shown_at, epoch=self.epochs_done, done=self.step)

    def _emit(self, event: Event) -> None:
        self._ensure_open()
        self._kept.emit(event)

    def _ensure_open(self) -> None:
        if self._closed:
            raise RunError(f"{self.run.id} has ended", "Create another RunWriter")

    def _end_with_the_script(self) -> None:
        """End a run that nobody closed, as its script ended: Python keeps the exception that nobody caught."""
        error = getattr(sys, "last_value", None)
        if isinstance(error, BaseException):
            self.fail(error)
        else:
            self.close()

    def _take_over(self, run: Run, state: Resumed, sections: dict[str, dict[str, Any]]) -> None:
        """Keep the settings of a script that resumes a run, and report those that differ."""
        before = state.started.config
        changed = [
            f"{section}.{field} {before.get(section, {}).get(field)} -> {value}"
            for section, fields in sections.items()
            for field, value in fields.items()
            if before.get(section, {}).get(field) != value
        ]
        if changed:
            write_sections(run, sections)
            self.notice(f"resumed with other settings: {', '.join(changed)}", "warning")

    def _attend(self) -> None:
        """Wait while somebody wants a pause; checkpoints are the script's own business."""
        self.control.take_checkpoint_request()
        if self.control.paused:
            self._emit(RunPaused(epoch=self.epochs_done + 1, step=self.step))
            self._wait()
            self._emit(RunResumed(epoch=self.epochs_done + 1, step=self.step))

    def _wait(self) -> None:
        while self.control.paused:
            self.control.wait_while_paused()
            self.control.take_checkpoint_request()
