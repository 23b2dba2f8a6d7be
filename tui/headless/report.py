"""Results as text that fits a terminal and a log file alike: metrics, classes, the confusion matrix."""

import time

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.counting import counted
from core.errors import RunDamaged
from core.evaluation import Report
from core.inference.stored import load_evaluation
from core.metrics import OF_TARGET, PRINTED, in_order, label_of
from core.runs.comparison.entries import load_report
from core.runs.folder import Run
from core.runs.media.stored import media_of
from core.runs.script import is_imported
from core.runs.summary import RunSummary
from core.status import is_active
from core.tasks.registry import task_of
from tui.forms.resuming import command_to_resume
from tui.headless.baselines_report import baseline_tables
from tui.terminal.jobs import job_text
from tui.terminal.text import clean, fit, number, of

__all__ = ["print_baselines", "print_report", "print_summary", "report_console", "report_tables"]

MAX_CLASSES = 30
"""Maximum number of classes whose matrix is printed in full."""
NAME_WIDTH = 20
LOG_WIDTH = 240
CORNER = "true ↓ predicted →"


def print_summary(summary: RunSummary, console: Console | None = None) -> None:
    """Print the status of a run, the report of its last evaluated split, and its folder."""
    console = console or report_console()
    for split in ("test", "validation"):
        report = load_report(summary.run, split)
        if report is not None:
            print_report(report, console)
            print_baselines(summary.run, split, console, in_words=False)
            break
    best = ", ".join(f"{clean(label_of(name))} {number(value)}" for name, value in summary.metrics.items())
    together = f", in {summary.processes:,} processes" if summary.processes > 1 else ""
    done = f"{summary.status}: {of(summary.epoch, summary.epochs, ' of ')} epochs{together}"
    console.print(Text(f"\n{done}", "bold"))
    if best:
        by = clean(summary.chosen_by.removeprefix("best "))
        console.print(Text(f"best epoch {summary.best_epoch} {by}: {best}"))
    if summary.job is not None and is_active(summary.status):
        console.print(Text(job_text(summary.job.job, time.time())), soft_wrap=True)
    if summary.error:
        console.print(Text(clean(summary.error)), soft_wrap=True)
    labels = summary.labels
    for label, text in (("name", labels.name), ("tags", " ".join(labels.tags)), ("note", labels.note)):
        for line in text.splitlines():
            console.print(Text(f"{label:7} {clean(line)}"), soft_wrap=True)
    console.print(Text(f"run     {clean(summary.log or str(summary.run.path))}"), soft_wrap=True)
    if kept := summary.run.kept_epochs():
        names = ", ".join(f"epoch-{epoch}" for epoch in kept)
        console.print(Text(f"kept    {names}"), soft_wrap=True)
    for line in _media_lines(summary.run):
        console.print(Text(f"media   {line}"), soft_wrap=True)
    if command := command_to_resume(summary):
        console.print(Text(f"resume  {command}"), soft_wrap=True)


def _media_lines(run: Run) -> list[str]:
    """Return a line for each name of images, texts and histograms: how many, of which steps, and the last file."""
    lines = []
    folder = "" if is_imported(run.path) else "media/"
    for name, events in media_of(run).items.items() if run.media_folder.is_dir() else ():
        first, last = events[0].step, events[-1].step
        steps = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
        lines.append(
            f"{clean(name)}: {counted(len(events), events[-1].kind)}, {steps}, {folder}{clean(events[-1].file)}"
        )
    return lines


def print_baselines(run: Run, split: str, console: Console, *, in_words: bool = True) -> None:
    """Print the simple models beside a run, where there are some, as compared with its evaluation of a split."""
    try:
        tables = baseline_tables(load_evaluation(run, split), in_words=in_words)
    except RunDamaged:
        return
    for table in tables:
        console.print(table)


def report_console() -> Console:
    """Return a console on standard output; unless it is a terminal, tables take the width they need."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    return console


def print_report(report: Report, console: Console, checkpoint: str = "best") -> None:
    """Print all tables of a report.

    Args:
        checkpoint: name of the one whose weights were evaluated.
    """
    weights = "best weights" if checkpoint == "best" else f"weights of {clean(checkpoint)}"
    console.print()
    console.print(Text(f"{report.split}: {counted(report.n, 'sample')}, {weights}", "bold"))
    for table in report_tables(report, console.width):
        console.print(table)


def report_tables(report: Report, width: int) -> list[RenderableType]:
    """The tables of a report in `width` cells: headline metrics, then classes and confusion matrix."""
    tables: list[RenderableType] = [_metrics(report)]
    if report.per_class:
        tables.append(_classes(report))
    if report.per_target:
        tables.append(_targets(report))
    if report.confusion:
        if task_of(report.task).several_labels:
            tables.append(Text("samples with a label (rows) that another is predicted for (columns)", "dim"))
        tables.append(_confusion(report, width))
    return tables


def _metrics(report: Report) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("baseline", justify="right")
    known = in_order(report.metrics, PRINTED)
    for key in known:
        low_high = report.intervals.get(key)
        interval = f"{number(low_high[0])} … {number(low_high[1])}" if low_high else ""
        baseline = report.baseline.get(key)
        shown = number(baseline) if isinstance(baseline, (int, float)) else ""
        table.add_row(Text(clean(report.title_of(key))), number(report.metrics[key]), interval, shown)
    reasons = [
        Text(clean(f"{label_of(key)}: {why}"), "dim") for key, why in report.undefined.items() if key in known
    ]
    reasons += [
        Text(clean(f"no interval of {', '.join(map(label_of, keys))}: {why}"), "dim")
        for why, keys in report.without_interval(known).items()
    ]
    what = report.baseline.get("description", "")
    baseline_is = [Text(clean(report.decision), "dim")] if report.decision else []
    baseline_is += [Text(clean(f"baseline: {what}"), "dim")] if what else []
    weighting = [Text(clean(report.weighting), "dim")] if report.weighting else []
    return Group(table, *weighting, *baseline_is, *reasons)


def _targets(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("target")
    for key in OF_TARGET:
        table.add_column(label_of(key), justify="right")
    for row in report.per_target:
        values = [row[key] for key in OF_TARGET]
        shown = [number(value) if not isinstance(value, str) else value for value in values]
        table.add_row(Text(fit(str(row["name"]), NAME_WIDTH).rstrip() or "∅"), *shown)
    return table


def _classes(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = task_of(report.task).class_columns
    table.add_column("class" if "threshold" not in columns else "label")
    for key in columns:
        table.add_column(label_of(key), justify="right")
    for row in report.per_class[:MAX_CLASSES]:
        values = [row[key] for key in columns]
        shown = [number(value) if not isinstance(value, str) else value for value in values]
        table.add_row(Text(fit(str(row["name"]), NAME_WIDTH).rstrip() or "∅"), *shown)
    if len(report.per_class) > MAX_CLASSES:
        table.caption = f"and {len(report.per_class) - MAX_CLASSES} more classes in report.json"
    return table


def _confusion(report: Report, width: int) -> RenderableType:
    """Yield the matrix with its column names cut to fit; where the counts do not fit, where to find it."""
    classes = len(report.confusion)
    rows = [fit(name, NAME_WIDTH).rstrip() or "∅" for name in report.class_names]
    digits = max(len(str(cell)) for row in report.confusion for cell in row)
    room = (width - max(map(cell_len, [CORNER, *rows])) - 2) // classes - 2
    if classes > MAX_CLASSES or room < digits:
        return Text(f"confusion matrix of {classes} classes: in report.json", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(CORNER)
    for name in report.class_names:
        table.add_column(Text(fit(name, min(room, NAME_WIDTH)).rstrip()), justify="right", no_wrap=True)
    for true, (name, row) in enumerate(zip(rows, report.confusion, strict=True)):
        cells = [
            Text(str(cell) if cell else "·", "bold" if true == predicted else "")
            for predicted, cell in enumerate(row)
        ]
        table.add_row(Text(name), *cells)
    return table
