"""Confirming a study without screens: a line per run, then a table of the trials and the winner's test result."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from core.control import RunControl
from core.metrics import label_of
from core.tuning.confirm.confirm import confirm
from core.tuning.confirm.result import Confirmation, Confirmed
from core.tuning.confirm.study import SEED, TRIAL
from core.tuning.executors.executors import Executor
from core.tuning.study.records import StudyEvent, StudyNotice, StudyStarted, TrialFinished
from core.tuning.study.study import TuningStudy
from tui.headless.documents.envelope import print_document
from tui.headless.documents.lines import TrialConfirmedLine, confirmed_line
from tui.headless.study_views import StudyView
from tui.terminal.text import number

__all__ = ["confirm_study", "confirmation_lines", "confirmation_rows", "winner_lines"]

HEAD = ("trial", "found", "mean", "sd", "optimism", "p")


def confirm_study(
    study: TuningStudy,
    seeds: int,
    executor: Executor,
    view: StudyView,
    *,
    output: Callable[..., None],
    control: RunControl,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Confirm a study, and show each run as it ends.

    Args:
        output: calls a function that prints; see `tui.runtime.signals.GuardedOutput`.

    Raises:
        TorchtuiError: folder or storage cannot be written.
    """
    shown = _Runs(study.name, view, as_json)
    found, problem = confirm(
        study, seeds, executor, emit=partial(output, shown.show), control=control, data_root=data_root
    )
    if problem:
        notice = StudyNotice(level="warning", message=f"the winner was not tested: {problem}")
        output(view.show, notice)
    if as_json:
        output(print_document, confirmed_line(found, study.name))


class _Runs:
    """Turns the events of the runs into lines of the study's view."""

    def __init__(self, study: str, view: StudyView, as_json: bool) -> None:
        self.study, self.view, self.as_json = study, view, as_json
        self.total = self.done = 0

    def show(self, event: StudyEvent) -> None:
        if isinstance(event, StudyStarted):
            self.total, self.done = event.plan.trials or 0, len(event.finished)
            left = f"{self.total - self.done} of {self.total} runs are left"
            self._say(f"confirming the best trials with other seeds: {left}")
        elif isinstance(event, TrialFinished) and event.trial.state != "interrupted":
            self.done += 1
            record = event.trial
            trial, seed = record.params[TRIAL], record.params[SEED]
            end = number(record.value) if record.state == "completed" else f"{record.state}: {record.reason}"
            self._say(f"trial {trial} with seed {seed}: {end}  ({self.done} of {self.total})")
            if self.as_json:
                line = TrialConfirmedLine(
                    time=event.time,
                    study=self.study,
                    trial=trial,
                    seed=seed,
                    state=record.state,
                    value=record.value,
                    run=str(record.run) if record.run else None,
                )
                print_document(line)
        elif isinstance(event, StudyNotice):
            self.view.show(event)

    def _say(self, message: str) -> None:
        self.view.show(StudyNotice(level="info", message=message))


def confirmation_rows(found: Confirmation) -> list[list[str]]:
    """Return the cells of a table, its head first; the winner has a star, and what is level with it a wave."""
    return [list(HEAD), *([*_cells(found, row)] for row in found.rows)]


def _cells(found: Confirmation, row: Confirmed) -> list[str]:
    sign = "★ " if row.trial == found.winner else "≈ " if row.trial in found.level else ""
    ended = len(row.values) + row.failed
    mean = number(row.mean) if ended == row.runs and row.values else f"… {ended} of {row.runs}"
    failed = f" ({row.failed} failed)" if row.failed else ""
    p = "" if row.p is None else f"{row.p:.2g}"
    return [
        f"{sign}{row.trial}",
        number(row.found),
        mean + failed,
        number(row.deviation),
        number(row.optimism),
        p,
    ]


def winner_lines(found: Confirmation) -> list[str]:
    """Return what the runs show, in sentences."""
    best = found.best
    if best is None or best.mean is None:
        return [f"{found.done} of {found.total} runs are done"]
    spread = "" if best.deviation is None else f" ± {number(best.deviation)}"
    lines = [f"trial {best.trial} has the best mean: {number(best.mean)}{spread} of {len(best.values)} seeds"]
    if best.optimism is not None:
        how = "better" if best.optimism > 0 else "worse"
        than = f"{number(abs(best.optimism))} {how} than that" if best.optimism else "the same"
        lines[0] += f"; its value in the search, {number(best.found)}, was {than}"
    others = [f"{row.trial} (p = {row.p:.2g})" for row in found.rows if row.trial in found.level and row.p]
    lines += [f"level with it, by Welch's test: trial {', '.join(others)}"] if others else []
    if found.test is not None:
        test = found.test
        ends = f", 95 % {' … '.join(map(number, test.interval))}" if test.interval else ""
        lines.append(
            f"test {label_of(test.metric)} of its best seed, seen once: "
            f"{number(test.value)} on {test.samples:,} samples{ends}"
        )
        lines.append(f"winner      {test.run}")
    elif best.best_run is not None:
        lines.append(f"winner      {best.best_run}")
    return lines


def confirmation_lines(found: Confirmation) -> list[str]:
    """Return a table and the sentences below it."""
    return [*_aligned(confirmation_rows(found)), *winner_lines(found)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "─" * sum([*widths, 2 * len(widths) - 2]), *lines[1:]]
