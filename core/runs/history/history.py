"""History of a run as series to draw and facts to show, in bounded memory however long it runs."""

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np

from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    LayersSampled,
    MediaLogged,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepLogged,
    SystemSampled,
)
from core.runs.history.advice import RISING_EPOCHS, STALL_EPOCHS, advise
from core.runs.history.series import GrowingSeries
from core.runs.media.stored import MediaIndex
from core.tasks.registry import find_task

__all__ = ["PACE", "Epoch", "History"]

MAX_EPOCHS = 5000
"""Rows of the epoch table that are kept; the curves keep all."""
MAX_CURVES = 1000
"""More names than any chart shows; those that come later are left out."""
MAX_MESSAGES = 200
SYSTEM_POINTS = 1024
SPLITS = ("train ", "validation ")
BY_STEP = " by step"
SMOOTHING = 0.1
"""Weight of what was logged last, some ten times a second."""
ROUNDING = 1 + 1e-9
"""Of places that were multiplied and divided."""
PACE: Final = ("seconds per epoch", "samples per second", "gradient norm")
"""Names of the curves that say how training goes on, not how good the model is."""


@dataclass(frozen=True)
class Epoch:
    """A row of the epoch table, and its confusion matrix as int32 (classes, classes), or None; the event has none."""

    event: EpochFinished
    confusion: np.ndarray | None


@dataclass
class History:
    """Consumes events in order.

    Attributes:
        step: of the last event. saved_step: of the last checkpoint. paused: whether it waits.
        began: when it was first started, in seconds since 1970.
        waiting: fraction of the time, 0 to 1, in which training waits for data; smoothed over about a second.
        system: load by name such as ``cpu``, in per cent; x is in minutes since the run began.
        layers: the latest sample of the layers; None before the first.
        media: images, texts and histograms by name.
        curves: by name such as ``train loss`` or ``validation accuracy``; x is in epochs.
        epochs: the latest ones, oldest first. best_epoch: the best one so far, 0 before the first.
        seconds: of training and validation in the epochs that are done; their curve is named ``seconds``; see `PACE`.
        diverged_at: where the first loss that is not finite was seen, in epochs.
        measured_steps: steps of an epoch, of a run that did not say how many; 0 before its first one is done.
        unfit: number of events left out since they contradict the others, as in a damaged log.
        crowded: whether some curves are left out, see `MAX_CURVES`.
        version: grows with every event; equal versions mean nothing is new.
    """

    started: RunStarted | None = None
    finished: RunFinished | None = None
    last_step: StepLogged | None = None
    waiting: float = 0.0
    epoch: int = 0
    step: int = 0
    saved_step: int = 0
    paused: bool = False
    system: dict[str, GrowingSeries] = field(default_factory=dict)
    layers: LayersSampled | None = None
    media: MediaIndex = field(default_factory=MediaIndex)
    began: float | None = None
    curves: dict[str, GrowingSeries] = field(default_factory=dict)
    epochs: deque[Epoch] = field(default_factory=lambda: deque(maxlen=MAX_EPOCHS))
    best_epoch: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    advised: set[str] = field(default_factory=set)
    evaluation: dict[str, dict[str, float | None]] = field(default_factory=dict)
    messages: deque[Event] = field(default_factory=lambda: deque(maxlen=MAX_MESSAGES))
    seconds: float = 0.0
    diverged_at: float | None = None
    measured_steps: float = 0.0
    unfit: int = 0
    crowded: bool = False
    version: int = 0
    _reported: tuple[int, list[str]] = field(default=(-1, []), repr=False, compare=False)

    @property
    def reported(self) -> list[str]:
        """Names of all metrics beside the loss that were logged so far, those of validation first."""
        if self._reported[0] != self.version:  # a run may have hundreds, and each frame asks several times
            self._reported = self.version, self._find_reported()
        return self._reported[1]

    def _find_reported(self) -> list[str]:
        names = [name for name, curve in self.curves.items() if len(curve)]
        of_split = (
            name.removeprefix(split) for split in SPLITS[::-1] for name in names if name.startswith(split)
        )
        return [
            name for name in dict.fromkeys(name.removesuffix(BY_STEP) for name in of_split) if name != "loss"
        ]

    @property
    def score(self) -> str:
        """Name of the metric beside the loss: that of the task, ``accuracy`` or ``r2``, or else the first reported one.

        A run whose script reports other numbers has none of its task, whatever task it names.
        """
        task, reported = find_task(self.started.task) if self.started is not None else None, self.reported
        usual = task.score if task is not None and not task.own_step else "accuracy"
        if usual in reported:
            return usual
        if reported:
            return reported[0]
        return "loss" if self.epochs or (task is not None and task.own_step) else usual

    @property
    def scores(self) -> list[str]:
        """Names of what is reported beside the loss: the monitored one first, then `score`, then the others."""
        reported = self.reported
        first = [name for name in (self.monitor, self.score) if name in reported]
        return [*dict.fromkeys((*first, *reported))] or [self.score]

    @property
    def monitor(self) -> str:
        """Name of the metric that chooses the best epoch; empty where it is not reported and the latest one counts."""
        monitor = self.started.monitor if self.started else "loss"
        if not self.epochs or monitor in self.best_metrics:
            return monitor
        return monitor if monitor in (self.epochs[-1].event.validation or self.epochs[-1].event.train) else ""

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; 0 when unknown."""
        return round(self.started.epochs * self.steps_per_epoch) if self.started else 0

    @property
    def steps_per_epoch(self) -> float:
        """Steps of an epoch as logged, or else as the first epoch showed; 1 until then."""
        return (self.started.steps_per_epoch if self.started else 0) or self.measured_steps or 1

    @property
    def position(self) -> float:
        """Epochs done, with the fraction of the current one; steps, until a run shows how many an epoch has."""
        return self.step / self.steps_per_epoch if self.started else 0.0

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.version += 1
        try:
            self._apply(event)
        except (
            ArithmeticError,
            ValueError,
        ):  # steps beyond all bounds, an epoch without steps, a ragged matrix
            self.unfit += 1

    def _apply(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._start(event)
                self.media.apply(event)
            case MediaLogged():
                self.media.apply(event)
            case StepLogged():
                self._step(event)
            case EpochFinished():
                self._finish_epoch(event)
            case CheckpointSaved(kind="last"):
                self.saved_step = event.step
            case EvaluationFinished():
                self.evaluation[event.split] = event.metrics
            case RunPaused() | RunResumed():
                self.paused = isinstance(event, RunPaused)
            case RunFinished():
                self.finished, self.paused = event, False
                self.messages.append(event)
            case Notice():
                self.messages.append(event)
            case LayersSampled():
                self._sample_layers(event)
            case SystemSampled():
                self._sample(event)

    def class_names(self, count: int) -> list[str]:
        """Names of so many classes: those of the run, or numbers where it names others or none."""
        names = self.started.classes if self.started else []
        return names if len(names) == count else [str(number) for number in range(count)]

    def curve(self, name: str) -> GrowingSeries:
        """Return the series of a name; an empty one, which is not kept, until something was said of it."""
        return self.curves.get(name) or GrowingSeries()

    def _add_point(self, name: str, x: float, y: float) -> None:
        if name not in self.curves:
            self.curves[name] = GrowingSeries()
        self.curves[name].append(x, y)

    def _sample(self, event: SystemSampled) -> None:
        if self.began is None:
            self.began = event.time
        for name, value in event.shares().items():
            self.system.setdefault(name, GrowingSeries(SYSTEM_POINTS)).append(
                (event.time - self.began) / 60, value
            )

    def _sample_layers(self, event: LayersSampled) -> None:
        """Keep the latest sample, and of all the norm of the whole gradient."""
        self.layers = event
        norms = np.array([np.nan if norm is None else norm for norm in event.gradients])
        self._add_point("gradient norm", event.step / self.steps_per_epoch, float(np.sqrt(norms @ norms)))

    def _start(self, event: RunStarted) -> None:
        """Start or resume: what came after the checkpoint is repeated, so it is discarded."""
        self.started, self.finished, self.paused = event, None, False
        self.began = event.time if self.began is None else self.began
        epochs_told = self.epochs[-1].event.epoch if self.epochs else 0
        has_gone_back = event.step < self.step or event.epoch >= epochs_told  # else only epochs count no more
        self.epoch, self.step, self.saved_step = event.epoch, event.step, event.step
        self.last_step, self.diverged_at = None, None
        self.waiting = 0.0
        self.evaluation.clear()
        if not event.step and not event.epoch:  # all of it is told again, perhaps in other epochs
            self.epochs.clear()
            self.curves.clear()
            self.measured_steps = 0.0
        while self.epochs and self.epochs[-1].event.epoch > event.epoch:
            self.epochs.pop()
        self._cut_curves(event)
        spent = self.curve("seconds").points()[1]
        self.seconds = float(spent[-1]) if spent.size else 0.0
        if event.step and has_gone_back:
            self.messages.append(
                Notice(
                    time=event.time,
                    level="info",
                    message=f"resumed from epoch {event.epoch}, step {event.step}",
                )
            )

    def _cut_curves(self, event: RunStarted) -> None:
        """Take back what comes after the steps and epochs that are done; those by epoch end with the last epoch."""
        if not event.epoch and self.measured_steps:  # measured in an epoch that is none any more
            self._count_in_epochs_of(1 / self.measured_steps)
            self.measured_steps = 0.0
        ended = self.epochs[-1].event.step if self.epochs else event.step if event.epoch else 0
        for name, curve in self.curves.items():
            is_by_epoch = name.startswith((*SPLITS, "seconds")) and not name.endswith(BY_STEP)
            steps = min(ended, event.step) if is_by_epoch else event.step
            curve.cut(steps / self.steps_per_epoch * ROUNDING)

    def _step(self, event: StepLogged) -> None:
        self.last_step, self.epoch, self.step = event, event.epoch, event.step
        self._append("train", event.train, event.time, steps=True)
        if event.lr or "lr" in self.curves:  # 0 is unknown, until it is known
            self._add_point("lr", self.position, event.lr)
        if event.samples_per_second:
            self._add_point("samples per second", self.position, event.samples_per_second)
        self.waiting += SMOOTHING * (event.waiting - self.waiting)
        if not np.isfinite(event.train.get("loss", 0.0)) and self.diverged_at is None:
            self.diverged_at = self.position

    def _finish_epoch(self, event: EpochFinished) -> None:
        self.epoch, self.step = event.epoch, event.step
        self._measure(event)
        self.best_epoch, self.best_metrics = event.best_epoch, event.best_metrics
        confusion = np.asarray(event.confusion, dtype=np.int32) if event.confusion else None
        large = event.confusion or event.class_counts
        self.epochs.append(
            Epoch(replace(event, confusion=[], class_counts=[]) if large else event, confusion)
        )
        self._append("train", event.train, event.time)
        self._append("validation", event.validation, event.time)
        self.seconds += event.seconds
        self._add_point("seconds", self.position, self.seconds)
        self._add_point("seconds per epoch", self.position, event.seconds)
        self._advise(event)
        if not np.isfinite(event.validation.get("loss", 0.0)) and self.diverged_at is None:
            self.diverged_at = self.position

    def _measure(self, event: EpochFinished) -> None:
        """Learn from the first epoch how many steps one has, and count what was said before it in epochs."""
        if self.started is None or self.started.steps_per_epoch or self.measured_steps or not event.epoch:
            return
        self.measured_steps = max(event.step, 1) / max(event.epoch, 1)
        self._count_in_epochs_of(self.measured_steps)

    def _count_in_epochs_of(self, steps: float) -> None:
        """Divide every place by a number of its units."""
        for curve in self.curves.values():
            curve.stretch(1 / steps)
        if self.diverged_at is not None:
            self.diverged_at /= steps

    def _advise(self, event: EpochFinished) -> None:
        """Add what looks wrong to the messages, each kind once."""
        before = islice(reversed(self.epochs), 1, max(RISING_EPOCHS, STALL_EPOCHS) + 1)
        loss = self.started.config.get("loss", {}).get("name", "") if self.started else ""
        advice = advise([event, *(epoch.event for epoch in before)][::-1], str(loss))
        for kind, text in advice.items():
            if kind not in self.advised:
                self.messages.append(Notice(time=event.time, level="warning", message=text))
        self.advised |= advice.keys()

    def _append(self, split: str, metrics: dict[str, float], time: float, steps: bool = False) -> None:
        for name, value in metrics.items():
            curve = f"{split} {name}{BY_STEP if steps else ''}"
            if curve in self.curves or len(self.curves) < MAX_CURVES:
                self._add_point(curve, self.position, value)
            elif not self.crowded:
                self.crowded = True
                text = f"only the first {MAX_CURVES} curves of this run are kept; {curve} is not"
                self.messages.append(Notice(time=time, level="warning", message=text))
