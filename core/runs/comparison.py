"""Runs side by side: their curves on one axis, the settings in which they differ, and which of them leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from core.errors import RunDamaged
from core.evaluation.report import Report
from core.metrics import lower_is_better
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.history.outline import Outline
from core.runs.history.series import Points
from core.runs.same_data import differing_data
from core.runs.summary import RunSummary, summarise

__all__ = [
    "AXES",
    "Axis",
    "Entry",
    "EntryReader",
    "Lead",
    "best_point",
    "curve",
    "curve_names",
    "differences",
    "lead",
    "load_report",
    "not_comparable",
    "other_losses",
    "own_directions",
]

Axis = Literal["epoch", "step", "time"]
AXES: Final[tuple[Axis, ...]] = ("epoch", "step", "time")
SPLITS: Final = ("validation", "test", "train")
FIRST_CURVES: Final = (
    *("validation loss", "validation accuracy", "validation r2"),
    *("train loss", "train accuracy", "train r2"),
)
NO_POINTS: Final[Points] = (np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Entry:
    """A run as it stands at one moment; two of the same run differ exactly when something is new.

    Attributes:
        config: nested plain values of its latest session.
        curves: by name, such as ``validation loss``: epochs done, and values.
        seconds: epochs done, and the seconds of training until then.
        steps_per_epoch: 0 as long as it is unknown; epochs are then counted in steps.
        reports: the saved evaluations by split.
        damaged: lines of its log that cannot be read.
        higher_is_better: the direction of each metric of the user's own, by name.
    """

    summary: RunSummary
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    curves: Mapping[str, Points] = field(default_factory=dict)
    seconds: Points = NO_POINTS
    steps_per_epoch: float = 1
    reports: Mapping[str, Report] = field(default_factory=dict)
    damaged: int = 0
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        """Its folder."""
        return self.summary.run


class EntryReader:
    """Reads one run, and later what is new of it. One thread at a time may do so."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._outline = Outline(run)
        self._entry: Entry | None = None
        self._reports: dict[str, tuple[int, Report | None]] = {}

    def read(self) -> Entry:
        """The run as it stands now; the same object as before while nothing is new."""
        grown = False
        while self._outline.read():
            grown = True
        summary = summarise(self.run)
        reports = {split: found for split in SPLITS if (found := self._report(split))}
        before = self._entry
        if before is None or grown or (summary, reports) != (before.summary, before.reports):
            self._entry = before = self._made(summary, reports)
        return before

    def _report(self, split: str) -> Report | None:
        """The saved report of a split, read again when its file has changed."""
        try:
            stamp = (self.run.evaluation_folder(split) / "report.json").stat().st_mtime_ns
        except OSError:
            return None
        if self._reports.get(split, (0, None))[0] != stamp:
            self._reports[split] = stamp, load_report(self.run, split)
        return self._reports[split][1]

    def _made(self, summary: RunSummary, reports: dict[str, Report]) -> Entry:
        history = self._outline.history
        started = history.started
        curves = {name: series.points() for name, series in history.curves.items() if name != "seconds"}
        return Entry(
            summary=summary,
            config=started.config if started else summary.config,
            seconds=_seconds(history),
            curves=curves,
            steps_per_epoch=(started.steps_per_epoch or history.measured_steps) if started else 1,
            reports=reports,
            damaged=self._outline.damaged,
            higher_is_better=started.higher_is_better if started else {},
        )


def _seconds(history: History) -> Points:
    """Epochs done and the seconds until then; the current epoch counts by the clock.

    Of an epoch that an earlier session began, that one's part counts at the pace of this one.
    """
    x, y = history.curve("seconds").points()
    started, step = history.started, history.last_step
    if started is None or step is None:
        return x, y
    done, now = float(x[-1]) if len(x) else 0.0, history.position
    from_here = max(done, started.step / history.steps_per_epoch)
    if now <= from_here:
        return x, y
    begun = max(started.time, history.epochs[-1].event.time if history.epochs else 0.0)
    spent = max(0.0, step.time - begun) * (now - done) / (now - from_here)
    return np.append(x, now), np.append(y, history.seconds + spent)


def load_report(run: Run, split: str) -> Report | None:
    """The saved report of a split, or None when it was not evaluated or is damaged."""
    path = run.evaluation_folder(split) / "report.json"
    if not path.is_file():
        return None
    try:
        return Report.load(path)
    except RunDamaged:
        return None


def curve_names(entries: Sequence[Entry]) -> list[str]:
    """Every curve that some run has: losses and scores of validation, then of training, then all others."""
    found = {name: None for entry in entries for name, (x, _) in entry.curves.items() if len(x)}
    return [name for name in FIRST_CURVES if name in found] + [
        name for name in found if name not in FIRST_CURVES
    ]


def curve(entry: Entry, name: str, axis: Axis) -> Points:
    """A curve over epochs, steps, or seconds of training.

    Empty if the run has none of that name, or is to be counted in epochs whose length is unknown.
    """
    x, y = entry.curves.get(name, NO_POINTS)
    if axis == "step":
        return x * (entry.steps_per_epoch or 1), y
    if axis == "time":
        epochs, seconds = (np.append(0.0, values) for values in entry.seconds)
        return np.interp(x, epochs, seconds), y
    return (x, y) if entry.steps_per_epoch else NO_POINTS


@dataclass(frozen=True)
class Lead:
    """Run with the best point of a curve: its place, the epoch of that point, and its value."""

    place: int
    epoch: float
    value: float


def best_point(entry: Entry, name: str, place: int = 0) -> Lead | None:
    """The best point of a run's curve; None without one, and for the learning rate."""
    x, y = entry.curves.get(name, NO_POINTS)
    there = np.isfinite(y)
    if name == "lr" or not there.any():
        return None
    x, y = x[there], y[there]
    at = int(np.argmin(y) if lower_is_better(name, entry.higher_is_better) else np.argmax(y))
    return Lead(place, float(x[at]), float(y[at]))


def lead(entries: Sequence[Entry], name: str) -> Lead | None:
    """The run that leads in a curve, the first of equals.

    None where no run has a best point, or where the runs minimise different losses and the curve is one of a loss.
    """
    if name.removesuffix(" by step").endswith("loss") and other_losses(entries):
        return None
    found = [best for place, entry in enumerate(entries) if (best := best_point(entry, name, place))]
    sign = 1 if lower_is_better(name, own_directions(entries)) else -1
    return min(found, key=lambda best: sign * best.value, default=None)


def own_directions(entries: Iterable[Entry]) -> dict[str, bool]:
    """Return the directions of the metrics that are the users' own; of one that runs disagree on, the first one's."""
    found: dict[str, bool] = {}
    for entry in entries:
        found = {**entry.higher_is_better, **found}
    return found


def differences(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """By dotted path, the settings that are not the same in all runs; None where a run has no such setting."""
    flat = [_flat(entry.config) for entry in entries]
    paths = {path: None for settings in flat for path in settings}
    columns = {path: [settings.get(path) for settings in flat] for path in _by_section(paths)}
    return {path: values for path, values in columns.items() if any(value != values[0] for value in values)}


def _flat(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, fields in config.items() for key, value in fields.items()}


def _by_section(paths: Mapping[str, None]) -> list[str]:
    """Fields of one section together, in the order in which sections first appear."""
    sections = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    return sorted(paths, key=lambda path: sections.index(path.partition(".")[0]))


def other_losses(entries: Sequence[Entry]) -> str:
    """Return which losses the runs minimise, where values of one do not compare with those of another; else empty."""
    losses = [entry.config["loss"] for entry in entries if entry.config.get("loss")]
    if all(loss == losses[0] for loss in losses):
        return ""
    names = sorted({str(loss.get("name")) for loss in losses})
    return f"the losses differ ({', '.join(names) if len(names) > 1 else f'settings of {names[0]}'})"


def not_comparable(entries: Sequence[Entry], split: str) -> str:
    """Return why final numbers of these runs are not comparable; empty if they are."""
    told = differing_data([entry.config.get("data", {}) for entry in entries if entry.config], split)
    samples = {report.n for entry in entries if (report := entry.reports.get(split))}
    return told or (f"not the same {split} samples" if len(samples) > 1 else "")
