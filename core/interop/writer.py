"""Makes a run of somebody's own training script: followed live, compared and reported like any other.

with RunWriter("my-run", config={"lr": 0.1}, epochs=10) as run:
    for epoch in range(10):
        for batch in loader:
            ...
            run.log(loss=loss, accuracy=accuracy)
        run.epoch(validation={"loss": ..., "accuracy": ...})
"""

import logging
import math
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from core.control import RunControl
from core.errors import DataError, RunError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepLogged,
)
from core.interop.best_epoch import Best
from core.interop.running_means import Means
from core.interop.script_console import ScriptConsole
from core.interop.script_files import ScriptCheckpoints, ensure_readable, make_folder
from core.metrics import has_direction, lower_is_better
from core.runs.folder import SPLITS, default_runs_dir
from core.runs.lock import missing_lock_warning
from core.runs.log import EventLog
from core.runs.requests import claimed
from core.runs.script import script_sections
from core.session.recorder import Recorder
from core.status import Ending

__all__ = ["RunWriter"]

LOG_SECONDS = 0.1


class RunWriter:
    """One run in the folder of the runs, started at once and ended by ``close`` or the end of a ``with`` block.

    An exception ends it as failed, Ctrl-C and ``sys.exit`` as stopped, a loss that is still NaN as diverged. A script
    that is killed leaves an interrupted run. Numbers may be floats or tensors of one value; a tensor is read about ten
    times a second, so that a GPU is not waited for in between.

    Several threads may use it: calls are taken one after the other. A process forked from the one that made it may not:
    there it refuses all calls but ``close``, which does nothing, so that the end of a fork never ends the run.

    Args:
        name: what the run is called; its folder adds the date and three letters.
        config: any settings, nested or flat; they are shown, compared and searched for.
        epochs, steps_per_epoch: how many there will be; 0 when unknown.
        task: ``binary``, ``multiclass``, ``regression``, or empty.
        classes: their names. samples: how many each split has. parameters: of the model.
        device: what it is trained on, such as ``cuda:0``.
        monitor: the metric of validation, or else of training, that chooses the best epoch; by default ``loss``.
        mode: whether the least or the most of it is the best; it may be left out for common names, such as ``f1``.
        higher_is_better: the direction of other metrics by name, for comparisons of runs.
        console: keep what the script prints in the run's ``console.log``, too; see `ScriptConsole`.
        runs_dir: where runs live; by default ``TUI_RUNS`` or ``./runs``.

    Raises:
        RunError: the folder cannot be written.
        DataError: a number is negative, or the direction of `monitor` is not known.
        InputError: a variable of the environment such as ``TUI_LOG`` does not fit.
    """

    def __init__(
        self,
        name: str,
        config: Mapping[str, Any] | None = None,
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
        runs_dir: Path | str | None = None,
    ) -> None:
        from core.observers.hub import observing
        from core.observers.settings import Extras

        sections = script_sections(config or {}, Path(sys.argv[0]).name or "python")
        directions = _directions(monitor, mode, higher_is_better or {})
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
            pid=os.getpid(),
            host=socket.gethostname(),
        )
        ensure_readable(started)
        self.run = make_folder(Path(runs_dir or default_runs_dir()), name, sections)
        self.control = RunControl()
        self._held = ExitStack()
        self._held.enter_context(claimed(self.run, self.control))
        self._recorder = Recorder(EventLog(self.run), _tell)
        self._observers = self._held.enter_context(
            observing(self.run, Extras.from_environment(), self._recorder.emit, device)
        )
        self._closed = False
        self._lock, self._process = threading.RLock(), os.getpid()
        self.classes, self.task, self.epochs = list(classes), task, epochs
        self.step = self.epochs_done = 0
        self._best = Best(monitor, lower_is_better(monitor, directions))
        self._checkpoints = ScriptCheckpoints(self.run)
        self._since_logged, self._since_epoch = Means(), Means()
        self._lr = _number(sections.get("optimizer", {}).get("lr"))
        self._batch_size = _number(sections.get("training", {}).get("batch_size"))
        self._logged_step, self._logged_at = 0, time.monotonic()
        self._epoch_began = time.monotonic()
        self._diverged, self._warned = "", set[str]()
        self._emit(started)
        if message := missing_lock_warning(self.run):
            self.notice(message, "warning")
        if console:
            self._held.callback(ScriptConsole(self.run.console_file).close)

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

        Args:
            metrics: names such as ``loss`` and ``accuracy`` to numbers; they may be keywords, too.
            step: steps done since the start of the run; by default calls are counted.
            lr: learning rate of this step; by default that of the last time.
            n: samples that the metrics are means of; means over steps are weighted by it.
        """
        with self._alone():
            self.step = self._next_step(step)
            self._lr = self._lr if lr is None else float(lr)
            values = {**(metrics or {}), **more}
            self._since_logged.add(values, n)
            self._since_epoch.add(values, n)
            if time.monotonic() - self._logged_at > LOG_SECONDS:
                self._tell_steps()
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
            self._tell_steps()
            logged = self._since_epoch.take()
            on_train = logged if train is None else Means.of(train)
            on_validation = Means.of(validation or {})
            self.epochs_done += 1
            self.step = max(self.step, self.epochs_done)
            for what, told in (("loss", on_train if train else {}), ("validation loss", on_validation)):
                self._notice_divergence(told, what, self.epochs_done)
            self._best.judge(self.epochs_done, on_validation or on_train)
            self._notice_no_monitor(on_validation or on_train)
            now = time.monotonic()
            seconds, self._epoch_began = now - self._epoch_began, now
            done = EpochFinished(
                epoch=self.epochs_done,
                epochs=self.epochs,
                step=self.step,
                train=on_train,
                validation=on_validation,
                lr=self._lr,
                seconds=seconds,
                best_epoch=self._best.epoch,
                best_metrics=self._best.metrics,
                confusion=[[int(count) for count in row] for row in confusion],
            )
            ensure_readable(done)
            self._emit(done)

    def checkpoint(self, weights: Mapping[str, Any]) -> None:
        """Save a state_dict as the last checkpoint, and as the best one right after the best epoch.

        A failed write is reported; the script continues.
        """
        with self._alone():
            for event in self._checkpoints.save(weights, self.epochs_done, self.step, self._best):
                self._emit(event)

    def predictions(self, split: str, scores: Any, targets: Any) -> dict[str, float | None]:
        """Evaluate what the model said about a split, as the Evaluate screen and the command line show it.

        Args:
            split: ``train``, ``validation`` or ``test``.
            scores: (n, classes), probabilities or margins; (n,) of two classes: the probability or the margin of the
                second one; or (n,) for regression.
            targets: (n,) class numbers, or numbers; of several labels (n, labels) zeros and ones.

        Returns:
            The report's headline metrics.

        Raises:
            DataError: the split is unknown, or the arrays do not match or hold NaN.
            RunError: nothing can be written.
        """
        if split not in SPLITS:
            raise DataError(f"split: got '{split}'", f"It takes {', '.join(SPLITS)}")
        from core.inference.from_arrays import evaluate_given
        from core.inference.saving import save_evaluation

        predictions, report = evaluate_given(scores, targets, self.classes, split, self.task)
        with self._alone():
            save_evaluation(self.run, predictions, report)
            self._emit(EvaluationFinished(split=split, metrics=report.metrics))
        return report.metrics

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
            self._tell_steps()
            ending: Ending = "stopped" if self.stop_requested else "completed"
            if self._diverged:
                ending, error = "diverged", error or self._diverged
            self._observers.end(RunFinished(status=status or ending, error=error, traceback=trace))
            self._closed = True
            self._recorder.close()
            self._held.close()

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

    def _emit(self, event: Event) -> None:
        if self._closed:
            raise RunError(f"{self.run.id} has ended", "Create another RunWriter")
        self._observers.emit(event)

    def _next_step(self, given: int | None) -> int:
        """Steps never decrease: if a script restarts the count in each epoch, its steps are renumbered."""
        if given is not None and given > self.step:
            return int(given)
        if given is not None and self.step and "steps" not in self._warned:
            self._warned.add("steps")
            message = f"step {given} came after step {self.step}: from now on the calls are counted as steps"
            self._emit(Notice(level="warning", message=message))
        return self.step + 1

    def _tell_steps(self) -> None:
        """Log the means since the last call, if there are any."""
        values = self._since_logged.take()
        if not values:
            return
        now = time.monotonic()
        done = (self.step - self._logged_step) * self._batch_size
        rate = done / (now - self._logged_at) if now > self._logged_at else 0.0
        self._logged_step, self._logged_at = self.step, now
        epoch = self.epochs_done + 1
        self._emit(
            StepLogged(epoch=epoch, step=self.step, train=values, lr=self._lr, samples_per_second=rate)
        )
        self._notice_divergence(values, "loss", epoch)

    def _notice_divergence(self, told: Mapping[str, float], what: str, epoch: int) -> None:
        """Note the latest loss; if none is reported, the previous one is kept."""
        if "loss" not in told:
            return
        if math.isfinite(told["loss"]):
            self._diverged = ""
            return
        self._diverged = f"the {what} became NaN or infinite in epoch {epoch}, step {self.step}"
        if "divergence" not in self._warned:
            self._warned.add("divergence")
            self._emit(Notice(level="error", message=self._diverged))

    def _notice_no_monitor(self, told: Mapping[str, float]) -> None:
        """Report once by what the best epoch is chosen where the metric that should choose it is not reported."""
        if self._best.monitor in told or "monitor" in self._warned:
            return
        self._warned.add("monitor")
        others = f"; there is {', '.join(told)}" if told else ""
        message = (
            f"no {self._best.monitor} is reported, so the latest epoch counts as the best{others}: "
            "name one with RunWriter(monitor=..., mode=...)"
        )
        self._emit(Notice(level="info", message=message))

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


def _directions(
    monitor: str, mode: Literal["min", "max"] | None, given: Mapping[str, bool]
) -> dict[str, bool]:
    """Return the directions of a script's metrics, that of the monitored one with them.

    Raises:
        DataError: it is not known, or not one of the two.
    """
    if mode not in (None, "min", "max"):
        raise DataError(f"mode: got {mode!r}", "It takes 'min' or 'max'")
    directions = {str(name): bool(higher) for name, higher in given.items()}
    if mode is not None:
        directions[monitor] = mode == "max"
    if not has_direction(monitor, directions):
        raise DataError(
            f"monitor: less or more {monitor} may be the better one", "Give mode='min' or mode='max', too"
        )
    return directions


def _number(value: object) -> float:
    """A setting that may be anything, if it is a number; else 0."""
    return float(value) if isinstance(value, int | float) else 0.0


def _tell(event: Event) -> None:
    """Report to Python's own log: on standard error, unless the script says otherwise."""
    if isinstance(event, Notice) and event.level != "info":
        logging.getLogger("torchtui").warning(event.message)
