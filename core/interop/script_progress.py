"""How far a script has come: the steps and epochs that its calls make up, as events."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from core.counting import counted
from core.events import EpochFinished, EvaluationFinished, Event, Notice, RunStarted, StepLogged
from core.interop.best_epoch import Best
from core.interop.own_names import Placer, of_split
from core.interop.running_means import Means
from core.interop.script_files import ensure_readable
from core.interop.step_counter import StepCounter

__all__ = ["ScriptProgress"]

LOG_SECONDS = 0.1


class ScriptProgress:
    """Adds up what a script logs, and emits it by step and by epoch.

    Args:
        emit: takes the events.
        best: the best epoch so far. started: the start of the run, with the epochs and steps that are done.
        lr: learning rate of the first step. batch_size: samples of a step, or 0.

    Attributes:
        epochs_done: epochs that have ended. best: the best of them.
        diverged: says that the last loss was not finite; empty where it was.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        best: Best,
        started: RunStarted,
        *,
        lr: float,
        batch_size: float,
    ) -> None:
        self._emit, self.best, self._started, self.epochs_done = emit, best, started, started.epoch
        self._lr, self._batch_size = lr, batch_size
        self._steps, self._placer = StepCounter(started.step), Placer()
        self._since_logged, self._since_epoch, self._since_start = Means(), Means(), Means()
        self._held: dict[str, dict[str, Any]] = {}
        self._held_before: dict[str, dict[str, Any]] = {}
        self._held_at = self._logged_step = started.step
        self._epochs_are_told = False
        self._best_at_start = copy(best)
        self._began = self._logged_at = self._epoch_began = time.monotonic()
        self.diverged, self._warned = "", set[str]()

    @property
    def step(self) -> int:
        """Steps done since the start of the run."""
        return self._steps.step

    def log(self, values: Mapping[str, Any], step: Any, lr: Any, n: float) -> None:
        """Take in the values of one call; see `core.interop.writer.RunWriter.log`."""
        placed = self._placer.sort(values)
        if placed.train or step is not None:
            self._advance(step)
        if placed.held:
            self._hold(placed.held)
        if (rate := lr if lr is not None else placed.lr) is not None:
            self._lr = Means.of({"lr": rate})["lr"]
        if placed.train:
            self._since_logged.add(placed.train, n)
        if time.monotonic() - self._logged_at > LOG_SECONDS:
            self._tell_steps()

    def end_epoch(
        self,
        train: Mapping[str, Any] | None,
        validation: Mapping[str, Any] | None,
        confusion: Sequence[Sequence[int]],
    ) -> None:
        """End an epoch, as the script says; see `core.interop.writer.RunWriter.epoch`."""
        if not self._epochs_are_told:
            self._take_back_implied_epochs()
        self._epochs_are_told = True
        self._finish_epoch(
            None if train is None else of_split(train, "train"),
            {**self._held.pop("validation", {}), **of_split(validation or {}, "validation")},
            self.step,
            confusion,
        )

    def end(self) -> None:
        """Emit what was not emitted yet; a value that can no longer be read is reported, and raises nothing."""
        try:
            self._tell_steps()
            if self._held.get("validation") or not self._epochs_are_told:
                self._end_epoch_at_validation()
            if test := self._held.pop("test", None):
                self._emit(EvaluationFinished(split="test", metrics=dict(Means.of(test))))
        except Exception as error:
            self._emit(Notice(level="error", message=f"the last values cannot be read: {error}"))

    def _advance(self, given: Any) -> None:
        """Count a step; validation that a script logged before it ends an epoch, if nothing else does."""
        before = self.step
        if self._held and copy(self._steps).advance(given) != before:
            self._end_epoch_at_validation()
        step = self._steps.advance(given)
        if self._steps.late and "late" not in self._warned:
            self._warned.add("late")
            self._emit(
                Notice(level="warning", message=f"step {given} came after step {before}: it counts as {step}")
            )
        if self._steps.restarted and "steps" not in self._warned:
            self._warned.add("steps")
            message = (
                f"step {given} came after step {before}: the count starts again, and this is step {step}"
            )
            self._emit(Notice(level="warning", message=message))

    def _hold(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep values of validation and test until their epoch ends."""
        if any(
            metric in self._held.get(split, {}) for split, metrics in values.items() for metric in metrics
        ):
            self._end_epoch_at_validation()
        for split, metrics in values.items():
            self._held.setdefault(split, {}).update({name: _kept(value) for name, value in metrics.items()})
        self._held_at = self.step

    def _end_epoch_at_validation(self) -> None:
        """End an epoch where validation was logged, unless the script ends its epochs itself."""
        if self._epochs_are_told or not self._held:
            return
        if "implied" not in self._warned:
            self._warned.add("implied")
            message = "each validation ends an epoch here: call epoch() to end them yourself"
            self._emit(Notice(level="info", message=message))
        held, self._held = self._held, {}
        self._held_before = _joined(self._held_before, held)
        if test := held.get("test") if "validation" in held else None:
            self._emit(EvaluationFinished(split="test", metrics=dict(Means.of(test))))
        self._finish_epoch(None, held.get("validation") or held.get("test", {}), self._held_at)

    def _take_back_implied_epochs(self) -> None:
        """Count the epochs that validation ended no more, since the script turns out to end its epochs itself."""
        implied = self.epochs_done - self._started.epoch
        if not implied:
            return
        self._tell_steps()
        self._since_epoch.take(into=self._since_start)
        self._since_epoch, self._epoch_began = self._since_start, self._began
        self.epochs_done, self.best = self._started.epoch, self._best_at_start
        self._held = _joined(self._held_before, self._held)
        self._emit(replace(self._started, time=time.time(), step=self.step))
        message = f"epoch() ends the epochs: the {counted(implied, 'validation')} before it ended none"
        self._emit(Notice(level="info", message=message))

    def _finish_epoch(
        self,
        train: Mapping[str, Any] | None,
        validation: Mapping[str, Any],
        step: int,
        confusion: Sequence[Sequence[int]] = (),
    ) -> None:
        self._tell_steps()
        logged = self._since_epoch.take(into=None if self._epochs_are_told else self._since_start)
        on_train = logged if train is None else Means.of(train)
        on_validation = Means.of(validation)
        self.epochs_done += 1
        self._steps.start_epoch(self.epochs_done)
        for what, told in (("loss", on_train if train else {}), ("validation loss", on_validation)):
            self._notice_divergence(told, what, self.epochs_done)
        self.best.judge_epoch(self.epochs_done, on_validation, on_train)
        self._notice_no_monitor(on_validation or on_train)
        now = time.monotonic()
        seconds, self._epoch_began = now - self._epoch_began, now
        done = EpochFinished(
            epoch=self.epochs_done,
            epochs=self._started.epochs,
            step=max(step, self.epochs_done),
            train=on_train,
            validation=on_validation,
            lr=self._lr,
            seconds=seconds,
            best_epoch=self.best.epoch,
            best_metrics=self.best.metrics,
            confusion=[[int(count) for count in row] for row in confusion],
        )
        ensure_readable(done)
        self._emit(done)

    def _tell_steps(self) -> None:
        """Log the means since the last call, if there are any."""
        values = self._since_logged.take(into=self._since_epoch)
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
            self.diverged = ""
            return
        self.diverged = f"the {what} became NaN or infinite in epoch {epoch}, step {self.step}"
        if "divergence" not in self._warned:
            self._warned.add("divergence")
            self._emit(Notice(level="error", message=self.diverged))

    def _notice_no_monitor(self, told: Mapping[str, float]) -> None:
        """Report once by what the best epoch is chosen where the metric that should choose it is not reported."""
        if self.best.monitor in told or "monitor" in self._warned:
            return
        self._warned.add("monitor")
        others = f"; there is {', '.join(told)}" if told else ""
        message = (
            f"no {self.best.monitor} is reported, so the latest epoch counts as the best{others}: "
            "name one with RunWriter(monitor=..., mode=...)"
        )
        self._emit(Notice(level="info", message=message))


def _joined(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Values by split and metric, those that came later in place of those before."""
    return {split: {**before.get(split, {}), **after.get(split, {})} for split in {**before, **after}}


def _kept(value: Any) -> Any:
    """A value that a script may change afterwards, as it is now."""
    return value.detach().clone() if hasattr(value, "detach") else value
