"""Runs as a comparison reads them: their curves, settings and evaluations at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from core.errors import RunDamaged
from core.evaluation.report import Report
from core.runs.folder import Run
from core.runs.history.history import PACE, History
from core.runs.history.outline import Outline
from core.runs.history.series import NO_POINTS, Points
from core.runs.summary import RunSummary, summarise

__all__ = ["Entry", "EntryReader", "load_report", "seconds_of"]

SPLITS: Final = ("validation", "test", "train")


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
        started, left_out = history.started, ("seconds", *PACE)
        curves = {name: series.points() for name, series in history.curves.items() if name not in left_out}
        return Entry(
            summary=summary,
            config=started.config if started else summary.config,
            seconds=seconds_of(history),
            curves=curves,
            steps_per_epoch=(started.steps_per_epoch or history.measured_steps) if started else 1,
            reports=reports,
            damaged=self._outline.damaged,
            higher_is_better=started.higher_is_better if started else {},
        )


def seconds_of(history: History) -> Points:
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
