"""Report of a study as text: the best trials, importance, the best configuration and its command."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from core.config.schema import to_yaml
from core.counting import counted
from core.metrics import label_of
from core.tuning.confirm.result import confirmation
from core.tuning.study.importance import PathImportance, importances
from core.tuning.study.records import StudyFinished, TrialRecord, best_first
from core.tuning.study.selection import Selection
from core.tuning.study.study import TuningStudy
from tui.forms.command_line import command_line, resume_command
from tui.headless.confirm import confirmation_lines
from tui.headless.study_views import saving
from tui.headless.trial_states import state_text
from tui.terminal.costs import weighed_text
from tui.terminal.text import clean, number, setting

__all__ = ["print_study", "selection_lines"]

TOP = 10
BAR_WIDTH = 30


def print_study(
    study: TuningStudy, finished: StudyFinished, console: Console, beside: Sequence[str] = ()
) -> None:
    """Print the top ten, the importance of each parameter, and the best configuration, ready to use.

    Args:
        beside: lines on the simple models beside the study.
    """
    if finished.best is not None:
        console.print()
        if finished.front:
            console.print(Text(f"front: no other trial beats these in both ({len(finished.front)})", "bold"))
            for line in _top(study, list(finished.front)):
                console.print(Text(line), soft_wrap=True)
            console.print()
        console.print(Text(f"best trials by validation {study.plan.metric}", "bold"))
        for line in _top(study, best_first(replace(study.plan, second=""), finished.records)[:TOP]):
            console.print(Text(line), soft_wrap=True)
        if finished.selection is not None:
            for line in selection_lines(finished.selection):
                console.print(Text(line, "dim"), soft_wrap=True)
        console.print()
        weighed = importances(study.plan, finished.records)
        _print_importance("importance of each parameter", weighed.all, console)
        if weighed.good.shares:
            _print_importance("among the better half of the trials", weighed.good, console)
        for line in beside:
            console.print(Text(clean(line)), soft_wrap=True)
        shown = _confirmed(study, console) or finished.best
        config = study.config(shown)
        console.print(Text(f"best configuration, trial {shown.number}\n", "bold"))
        console.print(Text(to_yaml(config)), soft_wrap=True)
        console.print(Text(command_line(config)), soft_wrap=True)
        console.print(Text(f"\nbest trial  {shown.run}"), soft_wrap=True)
    done = sum(record.done for record in finished.records)
    others = Counter(state_text(record) for record in finished.records if record.done)
    parts = [f"{number} {state}" for state, number in others.items() if state != "completed"]
    of_these = f" ({', '.join(parts)})" if parts else ""
    waiting = sum(record.place is not None for record in finished.records)
    more = f", {waiting} paused" if waiting else ""
    saved = f", {saving(study.plan, finished.records)}" if study.plan.pruned_by_epoch else ""
    console.print(Text(f"{finished.status}: {counted(done, 'trial')} done{of_these}{more}{saved}", "bold"))
    console.print(Text(f"study       {clean(str(study.folder.path))}"), soft_wrap=True)
    if finished.status == "stopped":
        console.print(Text(f"resume      {resume_command('tune', study.folder.path)}"), soft_wrap=True)


def _confirmed(study: TuningStudy, console: Console) -> TrialRecord | None:
    """Print what the runs with other seeds show, and return the winner; None where nothing is known."""
    found = confirmation(study)
    if found is None:
        return None
    console.print(Text(f"the best trials again, with {found.rows[0].runs} other seeds each", "bold"))
    for line in confirmation_lines(found):
        console.print(Text(line), soft_wrap=True)
    console.print()
    return next((record for record in study.records() if record.number == found.winner), None)


def _top(study: TuningStudy, records: list[TrialRecord]) -> list[str]:
    """Aligned lines, never cut: a terminal wraps them, and a file has room."""
    paths = list(study.plan.space.domains)
    short = [path.removesuffix(".name").rpartition(".")[2] for path in paths]
    weighed = study.plan.weighed
    rows = [["trial", study.plan.metric, *weighed, "epochs", *short]]
    for record in records:
        values = [setting(record.params[path]) if path in record.params else "–" for path in paths]
        costs = [weighed_text(name, record.costs.get(name)) for name in weighed]
        rows.append([str(record.number), number(record.value), *costs, str(record.epochs), *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [lines[0], "─" * len(lines[0]), *lines[1:]]


def selection_lines(chosen: Selection) -> list[str]:
    """Return on what the choice of a trial rests, in sentences."""
    name, samples = label_of(chosen.metric), counted(chosen.samples, "validation sample")
    ends = f", 95 % {' … '.join(map(number, chosen.interval))}" if chosen.interval else ""
    lines = [f"trial {chosen.trial}: {name} {number(chosen.value)} on {samples}{ends}"]
    if chosen.trials > 1:
        lines[0] += f"; chosen as the best of {chosen.trials}, so that new data will show a worse number"
        lines.append(_level(chosen))
    return lines


def _level(chosen: Selection) -> str:
    if chosen.level:
        shown = " ".join(map(str, chosen.level[:TOP]))
        more = f" and {len(chosen.level) - TOP} more" if len(chosen.level) > TOP else ""
        return f"on the same samples trials {shown}{more} are not clearly worse"
    if chosen.unknown:
        others = "the others" if chosen.unknown == chosen.trials - 1 else f"{chosen.unknown} of the others"
        return f"not known: how much worse {others} are beyond chance, for want of samples or predictions"
    return "on the same samples all others are clearly worse"


def _print_importance(title: str, found: PathImportance, console: Console) -> None:
    if not found.shares:
        console.print(
            Text(f"{title}: {found.reason} ({counted(found.trials, 'trial')})", "dim"), soft_wrap=True
        )
        console.print()
        return
    console.print(
        Text.assemble((title, "bold"), (f"  {counted(found.trials, 'trial')}, 90 % intervals", "dim"))
    )
    width = max(map(len, found.shares))
    for path, share in found.shares.items():
        bar = "█" * round(BAR_WIDTH * share.value)
        ends = f"{share.low:.2f} … {share.high:.2f}"
        console.print(Text(f"{path:{width}}  {share.value:4.2f}  {ends}  {bar}"), soft_wrap=True)
    console.print()
