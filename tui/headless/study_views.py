"""A study without screens: its events become a progress bar, a line per trial, or JSON lines."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from rich.text import Text

from core.counting import counted
from core.status import has_failed
from core.tuning.search.plan import Plan
from core.tuning.study.records import (
    StudyEvent,
    StudyFinished,
    StudyNotice,
    StudyPaused,
    StudyResumed,
    StudyStarted,
    TrialFinished,
    TrialRecord,
    TrialReported,
    TrialStarted,
    best_first,
    epochs_spent,
)
from core.tuning.study.stopping import seconds_left
from tui.headless.documents.envelope import print_document
from tui.headless.documents.lines import study_line, trial_line
from tui.headless.trial_states import state_text
from tui.headless.views import Choice, LineView, LiveView, SilentView, choose
from tui.terminal.costs import weighed_text
from tui.terminal.text import clean, count, duration, number, progress_line, setting

__all__ = ["StudyView", "choose_study_view", "saving"]

COUNTED = ("completed", "paused", "pruned", "failed")


class StudyView(Protocol):
    """Shows the progress of a study."""

    def show(self, event: StudyEvent) -> None:
        """Show one event."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show the progress of preparation, such as a download."""

    def close(self) -> None:
        """Restore the terminal."""


def choose_study_view(*, as_json: bool, quiet: bool) -> StudyView:
    """Return the view of a study, see `tui.headless.views.choose`."""
    views: dict[Choice, Callable[[], StudyView]] = {
        "json": JsonView,
        "quiet": QuietView,
        "live": ProgressView,
        "plain": PlainView,
    }
    return views[choose(as_json=as_json, quiet=quiet)]()


class QuietView(SilentView):
    """Shows errors only, apart from the results."""

    def show(self, event: StudyEvent) -> None:
        if isinstance(event, StudyNotice) and event.level == "error":
            print(f"error: {clean(event.message)}", file=sys.stderr)


class JsonView(QuietView):
    """Prints an object per finished trial and one at the end to standard output, and nothing else."""

    def __init__(self) -> None:
        self.study = ""

    def show(self, event: StudyEvent) -> None:
        super().show(event)
        if isinstance(event, StudyStarted):
            self.study = event.study
        elif isinstance(event, StudyFinished):
            print_document(study_line(event, self.study))
        elif isinstance(event, TrialFinished) and event.trial.state != "interrupted":
            print_document(trial_line(event, self.study))


class Tally:
    """Counts for a line about the study: trials by how they ended, the best of them, and the time they take."""

    def __init__(self, event: StudyStarted) -> None:
        self.plan, self.slots, self.study = event.plan, event.slots, event.study
        self._found = {record.number: record for record in event.finished}
        self.epochs: dict[int, int] = {}
        self.paused = False
        self._before = set(self._found)
        self._ends = None if event.timeout is None else event.time + event.timeout

    @property
    def records(self) -> list[TrialRecord]:
        """The trials that have ended or wait at a milestone."""
        return list(self._found.values())

    @property
    def best(self) -> TrialRecord | None:
        """The best trial so far."""
        ranked = best_first(self.plan, self.records)
        return ranked[0] if ranked else None

    @property
    def counts(self) -> str:
        """Count trials by how they ended; diverged ones count as failed. With the epochs that pruning saved."""
        states: list[str] = [
            "failed" if record.state == "diverged" else record.state for record in self.records
        ]
        counted = [state for state in COUNTED if state != "paused" or self.plan.pauses]
        counts = "  ".join(f"{states.count(state)} {state}" for state in counted)
        return f"{counts}  {saving(self.plan, self.records)}" if self.plan.pruned_by_epoch else counts

    def take(self, record: TrialRecord) -> bool:
        """Count a finished trial; return whether it is the best one so far."""
        self.epochs.pop(record.number, None)
        if record.state == "interrupted":
            return False
        self._found[record.number] = record
        return self.best is record

    def pause(self, event: StudyPaused | StudyResumed) -> str:
        """Record that the study was paused or continued; return the message for it."""
        self.paused = isinstance(event, StudyPaused)
        return (
            f"paused; `tui tune --continue {clean(self.study)}` continues it" if self.paused else "continued"
        )

    def left(self) -> float | None:
        """Estimate the seconds until the study ends."""
        return seconds_left(
            self.plan,
            self.records,
            session=len(self._found.keys() - self._before),
            at_once=self.slots,
            until_end=None if self._ends is None else self._ends - time.time(),
        )


class PlainView(LineView):
    """A line per trial."""

    tally: Tally | None = None

    def show(self, event: StudyEvent) -> None:
        if isinstance(event, StudyStarted):
            self.tally = Tally(event)
            for line in opening(event):
                self.print(line)
        elif isinstance(event, TrialFinished) and self.tally is not None:
            best = self.tally.take(event.trial)
            self.print(_trial_line(self.tally, event.trial) + ("  *" if best else ""))
        elif isinstance(event, StudyNotice):
            self.print_message(event)
        elif isinstance(event, StudyPaused | StudyResumed) and self.tally is not None:
            self.print(self.tally.pause(event))


class ProgressView(LiveView):
    """A progress bar with the best value so far, and above it a row for each trial."""

    tally: Tally | None = None

    def show(self, event: StudyEvent) -> None:
        if isinstance(event, StudyStarted):
            self._start(event)
        elif isinstance(event, StudyNotice):
            self.print_message(event)
        elif self.tally is not None:
            if isinstance(event, StudyPaused | StudyResumed):
                self.console.print(Text(self.tally.pause(event), "dim"), soft_wrap=True)
            if isinstance(event, TrialStarted):
                self.tally.epochs[event.trial.number] = 0
            elif isinstance(event, TrialReported):
                self.tally.epochs[event.number] = event.epoch
            elif isinstance(event, TrialFinished):
                best = self.tally.take(event.trial)
                line = ("★ " if best else "  ") + _trial_line(self.tally, event.trial)
                self.console.print(Text(line, "bold" if best else ""), soft_wrap=True)
            self._draw()

    def preparing(self, what: str, done: int, total: int) -> None:
        self.console.print(Text(clean(progress_line(what, done, total)), "dim"), end="\r")

    def _start(self, event: StudyStarted) -> None:
        self.tally = Tally(event)
        for line in opening(event):
            self.console.print(Text(line, "dim"), soft_wrap=True)
        self.start(total=1)

    def _draw(self) -> None:
        """Return the trials done, counting running ones by the part that is done."""
        tally = self.tally
        assert tally is not None
        total = tally.plan.trials
        going = sum(epochs / tally.plan.epochs for epochs in tally.epochs.values())
        best = tally.best
        value = f"best {number(best.value)} (trial {best.number})  " if best else ""
        title = f"trial {len(tally.records)}" + (f"/{total}" if total else "")
        left = "paused" if tally.paused else f"{duration(tally.left())} left"
        self.draw(total, len(tally.records) + going, title, f"{value}{tally.counts}  {left}")


def opening(event: StudyStarted) -> list[str]:
    """Describe what a study is going to do."""
    plan = event.plan
    trials = counted(plan.trials, "trial") if plan.trials else "as many trials as time allows"
    if plan.method == "grid":
        trials = f"{trials} of {counted(plan.space.grid_size(), 'combination')}"
    pruner = f", {plan.pruner} pruning" if plan.pruner != "none" else ""
    if plan.pauses:
        *first, last = plan.milestones(0) or (0,)
        ends = ", ".join([*map(str, first), counted(last, "epoch")])
        pruner = f", {plan.pruner}: trials pause after {ends}" if last else ""
    threads = f"{counted(event.threads, 'thread')} each"
    return [
        f"study {clean(str(event.folder))}",
        f"{plan.method}: {trials}, {event.slots} at once with {threads}{pruner}",
        f"{objectives(plan)} over {', '.join(plan.space.domains)}",
        *([f"{counted(len(event.finished), 'trial')} already done"] if event.finished else []),
    ]


def objectives(plan: Plan) -> str:
    """Describe what a study looks for: ``maximize validation accuracy and minimize parameters, where size<1e6``."""
    second = f" and {plan.second_direction} {plan.second}" if plan.second else ""
    limits = f", where {' and '.join(plan.where)}" if plan.where else ""
    return f"{plan.direction} validation {plan.metric}{second}{limits}"


def saving(plan: Plan, records: Iterable[TrialRecord]) -> str:
    """Return how many epochs were trained, and how many pruning has saved."""
    spent, saved = epochs_spent(plan, records)
    return f"epochs {count(spent)} spent, {count(saved)} saved"


def _trial_line(tally: Tally, record: TrialRecord) -> str:
    total = f"/{tally.plan.trials}" if tally.plan.trials else ""
    costs = "".join(f" {name} {weighed_text(name, value)}" for name, value in record.costs.items())
    value = f"{tally.plan.metric} {number(record.value)}{costs}"
    params = " ".join(f"{path}={setting(value)}" for path, value in record.params.items())
    done = f"{len(tally.records)}{total}  trial {record.number}"
    parts = [
        done,
        f"{state_text(record):9}",
        value,
        params,
        counted(record.epochs, "epoch"),
        f"{record.seconds:.2f} s",
    ]
    return "  ".join([*parts, clean(record.reason)] if has_failed(record.state) else parts)
