"""Turns rows of numbers by step into the events of a run.

Most logs do not say where an epoch ends, what is validation, or whether a first validation came before training.
What is assumed is corrected as soon as a row contradicts it: the log is then told again from its start.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from core.events import EpochFinished, EvaluationFinished, Event, RunStarted, StepLogged
from core.interop.best_epoch import Best
from core.interop.readers.names import is_of_epoch, place_of
from core.interop.readers.rows import LogRow
from core.metrics import has_direction, lower_is_better
from core.runs.script import bare_start, script_sections

__all__ = ["Teller"]

_Groups = dict[str, dict[str, float]]
Emit = Callable[[Event], object]


@dataclass
class _Layout:
    """Assumptions about a log, as its rows so far show it.

    Attributes:
        has_validation: it names validation. test_validates: it does not, and evaluates test again and again.
        starts_before: the validation at step 0 came before training; else it ended the first epoch.
        counts_from_zero: step 0 is the first one, not what was before it.
        numbered: each epoch that the log names is validated at most once.
        late: validations of checkpoints from before, by step, where they came after all of training; None: none did.
        monitor: metric that chooses the best epoch; empty before the first validation.
    """

    has_validation: bool = False
    test_validates: bool = False
    starts_before: bool = False
    counts_from_zero: bool = False
    numbered: bool = True
    late: dict[int, LogRow] | None = None
    monitor: str = ""


class _End(NamedTuple):
    """End of an epoch: the step of the log, the step and the epoch that were told, and the validation."""

    logged: int
    step: int
    epoch: int
    validation: dict[str, float]


@dataclass
class _Position:
    """Position up to which a log was told.

    Attributes:
        open: the last row, which waits for more of its step.
        number: of the epoch that the log is in; 0 as long as it names none.
        shift: added to the log's steps: 1 where they count epochs from 0.
        tested: step of the latest evaluation of test. latest: of the latest number of each name.
        totals: sum and count of the numbers of training in this epoch.
        trained_to: latest step of training. validated_at: what that was at the latest validation.
        late: such validations as `_Layout` knows, met so far. late_to: step up to which those that it knows were told.
    """

    best: Best
    last: float
    open: LogRow | None = None
    step: int = 0
    number: int = 0
    shift: int = 0
    lr: float = 0.0
    trained: bool = False
    tested: int | None = None
    latest: dict[str, int] = field(default_factory=dict)
    ends: list[_End] = field(default_factory=list)
    totals: dict[str, tuple[float, int]] = field(default_factory=dict)
    trained_to: int = -1
    validated_at: int = -1
    late: dict[int, LogRow] = field(default_factory=dict)
    late_to: int = -1

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return self.ends[-1].epoch if self.ends else 0


class Teller:
    """Tells rows as events; rows of one step count as one, and validation ends an epoch where the log names none.

    Args:
        tool: what wrote the log; it stands where runs name their script.
        path: of the log.

    Attributes:
        mistaken: an assumption turned out wrong: the log must be told again, from `begin` on.
    """

    def __init__(self, tool: str, path: Path) -> None:
        self.tool, self.path = tool, path
        self.mistaken = False
        self._layout = _Layout()
        self._settings: dict[str, dict[str, Any]] = {}
        self._at = _Position(Best(), 0.0)
        self._places: dict[str, tuple[str, str]] = {}

    def forget(self) -> None:
        """Assume nothing, as of a log that was written anew."""
        self._layout, self.mistaken = _Layout(), False

    def begin(self, time: float, settings: Mapping[str, Any]) -> RunStarted:
        """The start of the run, before the first row; a second call discards all that was told."""
        monitor = self._layout.monitor or "loss"
        self.mistaken, self._settings = False, script_sections(settings, self.tool)
        self._settings["script"]["log"] = os.path.abspath(self.path)
        self._at = _Position(Best(monitor, lower_is_better(monitor)), time)
        self._at.shift = int(self._layout.counts_from_zero)
        self._places = {}
        return self.start_again(time)

    def start_again(self, time: float) -> RunStarted:
        """The start of a further session, from where the log was told to."""
        at, monitor = self._at, self._layout.monitor or "loss"
        return bare_start(self._settings, time=time, epoch=at.epoch, step=at.step, monitor=monitor)

    def take(self, row: LogRow, emit: Emit) -> None:
        """Emit the events of the rows before this one, which waits for more of its step."""
        opened = self._at.open
        self._at.open = row
        if opened is None:
            return
        if (
            row.step == opened.step
            and row.epoch == opened.epoch
            and opened.values.keys().isdisjoint(row.values)
        ):
            ends = opened.ends_epoch or row.ends_epoch
            self._at.open = row._replace(values={**opened.values, **row.values}, ends_epoch=ends)
        else:
            self._tell(opened, emit)

    def flush(self, emit: Emit) -> None:
        """Emit the events of the last row, because nothing more came of its step."""
        opened, self._at.open = self._at.open, None
        if opened is not None:
            self._tell(opened, emit)
        if self._layout.late is not None and repr(self._layout.late) != repr(self._at.late):
            self._layout.late, self.mistaken = self._at.late, True

    def _tell(self, row: LogRow, emit: Emit) -> None:
        groups = self._grouped(row.values)
        if not groups or self._is_late(row, groups):
            return
        self._tell_late(row.step, emit)
        at, step, latest = self._at, row.step, -1
        for name in row.values:
            before = at.latest.get(name, -1)
            latest = before if before > latest else latest
        if latest > step or (latest == step and row.ends_epoch):
            emit(self._go_back(row, is_training="train" in groups or "whole" in groups))
        for name in row.values:
            at.latest[name] = step
        number = row.epoch if self._layout.numbered else 0
        if number > at.number > at.epoch:  # it ended without validation
            emit(self._finish(row.time, at.number, at.step, {}, {}))
        at.number = max(at.number, number)
        self._move_to(step, groups, repeats=latest == step)
        if "lr" in groups:
            at.lr = groups["lr"]["lr"]
        if "train" in groups or "whole" in groups:
            self._train(row, groups.get("train"), groups.get("whole", {}), emit)
        if "test" in groups:
            self._test(row, groups["test"], emit)
        if "validation" in groups:
            self._validate(row, groups, number, emit)
        elif number > at.epoch and (row.ends_epoch or "whole" in groups):
            emit(self._finish(row.time, number, step, {}, groups.get("whole", {})))

    def _is_late(self, row: LogRow, groups: _Groups) -> bool:
        """Return whether a row validates a checkpoint from before; a second one without training between shows it."""
        at, layout = self._at, self._layout
        if groups.keys() != {"validation"} or (row.epoch and layout.numbered) or row.step >= at.trained_to:
            return False
        if layout.late is None:
            if not at.ends or at.validated_at != at.trained_to or row.step == at.ends[-1].logged:
                return False
            layout.late, self.mistaken = {}, True
        before = at.late.get(row.step, row)
        at.late[row.step] = row._replace(values={**before.values, **row.values})
        return True

    def _tell_late(self, step: int, emit: Emit) -> None:
        """Tell such validations of checkpoints before a step; that at step 0 came before training."""
        at = self._at
        for logged, row in sorted((self._layout.late or {}).items()):
            if at.late_to < logged and (logged < step or not logged):
                groups = self._grouped(row.values)
                at.late_to = logged
                self._move_to(logged, groups, repeats=False)
                self._validate(row, groups, 0, emit)

    def _grouped(self, values: Mapping[str, float]) -> _Groups:
        """Return the values by their place; ``whole`` are means of training over an epoch."""
        groups: _Groups = {}
        for name, value in values.items():
            place, metric = self._places.get(name) or self._place(name)
            if place in groups:
                groups[place].setdefault(metric, value)
            elif place:
                groups[place] = {metric: value}
        return groups

    def _place(self, name: str) -> tuple[str, str]:
        """Return the place of a name in this log; empty where it is no metric."""
        layout = self._layout
        place: str
        place, metric = place_of(name)
        if place in ("epoch", "system"):
            place = ""
        elif place == "train" and is_of_epoch(name):
            place = "whole"
        elif place == "test" and layout.test_validates:
            place = "validation"
        elif place == "validation" and not layout.has_validation:
            layout.has_validation, self.mistaken = True, layout.test_validates
            layout.test_validates = False
        self._places[name] = place, metric
        return place, metric

    def _move_to(self, step: int, groups: _Groups, repeats: bool) -> None:
        """Move on to a step; of a log that names none, all of whose steps are 0, the rows are counted."""
        at, layout = self._at, self._layout
        if step == 0 and not (at.ends or at.trained) and not layout.starts_before:
            at.shift = int(layout.counts_from_zero or ("train" in groups and "validation" in groups))
        if step == 0 and repeats:
            at.step += 1
        elif step + at.shift > at.step:
            at.step = step + at.shift

    def _train(
        self, row: LogRow, train: dict[str, float] | None, whole: dict[str, float], emit: Emit
    ) -> None:
        at = self._at
        at.trained, at.trained_to = True, max(at.trained_to, row.step)
        is_late = bool(at.ends) and at.step == at.ends[-1].step and row.step < at.ends[-1].logged
        for name, value in (train or {}).items() if not is_late else ():
            total, count = at.totals.get(name, (0.0, 0))
            at.totals[name] = total + value, count + 1
        emit(
            StepLogged(
                time=row.time,
                epoch=at.number or at.epoch + (not is_late),
                step=at.step,
                train=train or whole,
                lr=at.lr,
                samples_per_second=0.0,
            )
        )

    def _test(self, row: LogRow, metrics: dict[str, float], emit: Emit) -> None:
        """Emit the evaluation of test; a second one, of a log without validation, shows that test validates."""
        at = self._at
        if at.tested is not None and row.step > at.tested and not self._layout.has_validation:
            self._layout.test_validates = self.mistaken = True
        at.tested = row.step
        emit(EvaluationFinished(time=row.time, split="test", metrics=dict(metrics)))

    def _validate(self, row: LogRow, groups: _Groups, number: int, emit: Emit) -> None:
        """Emit the end of the epoch, or an evaluation after it."""
        at, layout, metrics = self._at, self._layout, groups["validation"]
        at.validated_at = at.trained_to
        if not layout.monitor:
            layout.monitor = _monitor_of(metrics)
            self.mistaken = layout.monitor != "loss"
        if at.ends and at.step == at.ends[-1].step and number <= at.epoch:  # once more after the last epoch
            emit(EvaluationFinished(time=row.time, split="validation", metrics=dict(metrics)))
            return
        if number and number <= at.epoch:
            layout.numbered, self.mistaken = False, True
            return
        before = row.step == 0 and not (at.ends or number) and (layout.starts_before or not at.trained)
        epoch = 0 if before else number or at.epoch + 1
        self._look_at_steps(row.step, epoch)
        emit(self._finish(row.time, epoch, row.step, metrics, groups.get("whole", {})))

    def _look_at_steps(self, step: int, epoch: int) -> None:
        """Compare the second epoch with the first one: do steps count from 0, and was the first one training?"""
        at, layout = self._at, self._layout
        first = at.ends[-1] if at.ends else None
        if first is None or len(at.ends) > 1 or not first.epoch:
            return
        if at.shift and first.logged == 0 and step > 1 and not layout.starts_before:
            layout.starts_before = self.mistaken = True
        elif not at.shift and (step - first.logged) * first.epoch == (first.logged + 1) * (
            epoch - first.epoch
        ):
            layout.counts_from_zero = self.mistaken = True

    def _finish(
        self, time: float, epoch: int, logged: int, validation: dict[str, float], whole: dict[str, float]
    ) -> EpochFinished:
        at = self._at
        at.step = max(at.step, epoch)
        at.ends.append(_End(logged, at.step, epoch, validation))
        train = {name: total / count for name, (total, count) in at.totals.items()} | whole
        at.totals = {}
        if epoch:
            at.best.judge_epoch(epoch, validation, train)
        seconds, at.last = max(0.0, time - at.last), max(time, at.last)
        return EpochFinished(
            time=time,
            epoch=epoch,
            step=at.step,
            train=train,
            validation=validation,
            lr=at.lr,
            seconds=seconds,
            best_epoch=at.best.epoch,
            best_metrics=at.best.metrics,
        )

    def _go_back(self, row: LogRow, is_training: bool) -> RunStarted:
        """Return the start of the session that tells again what came from a step on; that is discarded."""
        at = self._at
        if is_training:
            at.step = max(0, row.step + at.shift - 1)
            at.trained_to = min(at.trained_to, row.step - 1)
            kept = bisect_left(at.ends, at.step + 1, key=lambda end: end.step)
        else:  # of names that count in a way of their own
            kept = bisect_left(at.ends, row.step, key=lambda end: end.logged)
            at.step = at.ends[kept - 1].step if kept else 0
        del at.ends[kept:]
        at.number, at.tested, at.totals = at.epoch if at.number else 0, None, {}
        at.validated_at, at.late_to = -1, min(at.late_to, row.step - 1)
        at.latest = {name: min(step, row.step - 1) for name, step in at.latest.items()}
        at.best = Best(at.best.monitor, at.best.lower)
        for end in at.ends:
            if end.epoch:
                at.best.judge_epoch(end.epoch, end.validation, {})
        return self.start_again(row.time)


def _monitor_of(metrics: Mapping[str, float]) -> str:
    """Return the metric that chooses the best epoch: the loss, or else the first one whose direction is known."""
    if "loss" in metrics:
        return "loss"
    known = [name for name in metrics if has_direction(name)]
    scores = [name for name in known if not lower_is_better(name)]
    return next(iter([*scores, *known]), "loss")
