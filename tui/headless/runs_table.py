"""Lists of runs as text: the usual columns, or those that the user names."""

import time
from collections.abc import Callable, Sequence

from rich.cells import cell_len

from core.runs.delete import folder_size
from core.runs.summary import RunSummary, began
from core.status import is_active
from tui.terminal.jobs import job_text
from tui.terminal.text import UNKNOWN, age, bytes_, clean, fit, number, of
from tui.widgets.runs_columns import Column, column_of

__all__ = ["SIZE", "listed", "print_runs", "sorted_by"]

MAX_METRICS = 8
"""Of a run, in its line."""
SIZE = "size"
"""Name of the column of the disk space, which has to be measured."""


def sorted_by(summaries: Sequence[RunSummary], name: str) -> list[RunSummary]:
    """Return runs in the order of a column, the best, newest or largest first; those without a value last.

    Raises:
        InputError: there is no such column.
    """
    if name == SIZE:
        return sorted(summaries, key=lambda summary: -folder_size(summary.run))
    column = column_of(name)
    keyed = [(column.value(summary), summary) for summary in summaries]
    known = sorted(
        (pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=column.falling
    )
    return [summary for _, summary in known] + [summary for key, summary in keyed if key is None]


def print_runs(summaries: Sequence[RunSummary], columns: Sequence[str], *, with_size: bool) -> None:
    """Print a line for each run: ids and results, or a table of the columns that were asked for.

    Raises:
        InputError: there is no such column.
    """
    if not columns:
        for summary in summaries:
            print(_line(summary, with_size))
        return
    for line in listed(summaries, columns):
        print(line)


def listed(summaries: Sequence[RunSummary], names: Sequence[str]) -> list[str]:
    """Return a table whose columns are as wide as their longest text.

    Raises:
        InputError: there is no such column.
    """
    shown = [_shown(name) for name in names]
    rows = [[title for title, _, _ in shown]]
    rows += [[clean(show(summary)) for _, show, _ in shown] for summary in summaries]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    places = [(width, align) for width, (_, _, align) in zip(widths, shown, strict=True)]
    lines = [
        [fit(cell, width, align=align) for cell, (width, align) in zip(row, places, strict=True)]
        for row in rows
    ]
    return ["  ".join(line).rstrip() for line in lines]


def _shown(name: str) -> tuple[str, Callable[[RunSummary], str], str]:
    """Return the title of a column, its text for a run, and where that stands."""
    if name == SIZE:
        return SIZE, lambda summary: bytes_(folder_size(summary.run)), ">"
    column: Column = column_of(name)
    now = time.time()
    if column.name == "run":
        return column.title, lambda summary: summary.labels.name or summary.run.id, "<"
    return column.title, lambda summary: column.show(summary, now), column.align


def _line(summary: RunSummary, with_size: bool) -> str:
    facts = [f"{clean(name)} {number(value)}" for name, value in [*summary.metrics.items()][:MAX_METRICS]]
    facts += [f"and {left} more"] if (left := len(summary.metrics) - MAX_METRICS) > 0 else []
    facts += [clean(summary.error)] if summary.error else []
    if summary.job is not None and is_active(summary.status):
        facts.append(job_text(summary.job.job, time.time()))
    called = [f"'{clean(summary.labels.name)}'"] if summary.labels.name else []
    called += [f"#{clean(tag)}" for tag in summary.labels.tags]
    size = [f"{bytes_(folder_size(summary.run)):>8}"] if with_size else []
    start = began(summary)
    since = UNKNOWN if start is None else f"{age(time.time() - start)} ago"
    epochs = of(summary.epoch, summary.epochs)
    place = f"{fit(summary.run.id, 44)} {summary.status:11} {epochs:>9} {since:>10}"
    return "  ".join([place, *size, *called, *facts])
