"""A comparison as text that fits a terminal and a log file alike."""

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.metrics import compared_metrics, curve_label, label_of, signed
from core.runs.comparison.curves import best_point, best_title, first_compared, leads
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup, started_twice
from core.runs.comparison.settings import differences, not_comparable, other_losses, other_thresholds
from core.runs.comparison.standings import MARKS, PARTS, Standings, standings
from core.runs.folder import Run
from tui.charts.comparison import (
    SPREAD,
    View,
    axis_text,
    chart,
    group_name,
    interval_text,
    score_text,
)
from tui.charts.plot_text import as_text
from tui.headless.report import print_baselines
from tui.terminal.text import clean, duration, number, of, setting
from tui.terminal.themes import sign_of

__all__ = ["print_comparison"]

PLOT_WIDTH, PLOT_HEIGHT = 100, 20
MAX_WIDTH = 1_000
"""Cells to which a table is measured."""


def print_comparison(
    groups: Sequence[RunGroup], split: str, console: Console, plot: str | None, view: View
) -> None:
    """Print the status of the runs, their final metrics on a split, and the settings that differ.

    Args:
        plot: name of a curve to draw; None draws none.
    """
    entries = [entry for group in groups for entry in group.entries]
    _print_runs(groups, entries, console)
    found = standings(groups, split)
    compared = compared_metrics([row.metric for row in found])
    rows = [row for row in found if row.metric in compared]
    if rows:
        console.print(Text(f"{split}, best weights", "bold"))
        console.print(_metrics(rows))
        repeated = any(group.is_repeated for group in groups)
        legend = [*([MARKS] if any(row.leaders for row in rows) else []), *([SPREAD] if repeated else [])]
        if legend:
            console.print(Text("  ".join(legend), "dim"))
        if any(score and score.part for row in rows for score in row.scores):
            console.print(Text(PARTS, "dim"))
        untested = [label_of(row.metric) for row in rows if not row.is_tested]
        if untested:
            console.print(Text(clean(f"not tested, ★ is only the best value: {', '.join(untested)}"), "dim"))
        if any(rows[0].differences):
            console.print()
            console.print(_to_leader(groups, rows[0]))
        if rows[0].leader is not None:
            print_baselines(groups[rows[0].leader].first.run, split, console)
    else:
        console.print(Text(f"none of the runs was evaluated on {split}", "dim"))
    note = not_comparable(entries, split)
    if note:
        console.print(Text(clean(f"▲ {note}: their numbers are not comparable"), "yellow"))
    if twice := started_twice(groups):
        console.print(Text(clean(twice), "dim"))
    if thresholds := other_thresholds(entries, split):
        console.print(Text(clean(f"▲ {thresholds}"), "yellow"))
    losses = other_losses(entries)
    if losses:
        console.print(Text(clean(f"▲ {losses}: their values are not comparable"), "yellow"))
    console.print()
    console.print(_differences(groups))
    if plot is not None:
        console.print()
        console.print(_plot(groups, plot, view, console))


def _sign(place: int) -> Text:
    symbol, color = sign_of(place)
    return Text(symbol, "rgb({},{},{})".format(*color))


def _print_runs(groups: Sequence[RunGroup], entries: Sequence[Entry], console: Console) -> None:
    """Print how the runs stand; where whole ids do not fit into the table, they stand above it, to be copied."""
    table = _runs(groups, entries, lambda run: run.id)
    if console.measure(table, options=console.options.update(width=MAX_WIDTH)).maximum > console.width:
        for place, group in enumerate(groups):
            for entry in group.entries:
                line = Text.assemble(" ", _sign(place), "  ", clean(entry.summary.run.id))
                console.print(line, soft_wrap=True)
        table = _runs(groups, entries, lambda run: run.id.rpartition("_")[2])
    console.print(table)


def _runs(groups: Sequence[RunGroup], entries: Sequence[Entry], named: Callable[[Run], str]) -> Table:
    curve = first_compared(entries)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("run", overflow="fold")
    table.add_column("status")
    for name in ("epochs", "best epoch", clean(best_title(groups, curve)), "trained"):
        table.add_column(name, justify="right")
    leading = {best.place for best in leads(groups, curve)}
    for place, group in enumerate(groups):
        sign, star = _sign(place), "★ " if place in leading else ""
        if group.is_repeated:
            point = best_point(group, curve)
            at = f"{round(point.epoch, 1):g}" if point else "–"
            title = f"{len(group.entries)} seeds, mean"
            table.add_row(sign, title, "", "", at, star + number(point.value if point else None), "")
            for entry in group.entries:
                table.add_row("", *_run(entry, curve, "", named))
        else:
            table.add_row(sign, *_run(group.first, curve, star, named))
    return table


def _run(entry: Entry, curve: str, star: str, named: Callable[[Run], str]) -> list[Text | str]:
    summary, point = entry.summary, best_point(RunGroup((entry,)), curve)
    return [
        Text(clean(named(summary.run))),
        summary.status,
        of(summary.epoch, summary.epochs),
        str(summary.best_epoch or "–"),
        star + number(point.value if point else None),
        duration(float(entry.seconds[1][-1]) if len(entry.seconds[1]) else None),
    ]


def _metrics(rows: Sequence[Standings]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric")
    for place in range(len(rows[0].scores)):
        table.add_column(_sign(place), justify="right")
    for row in rows:
        cells = [
            f"{score_text(row, place)}\n{interval_text(score)}" for place, score in enumerate(row.scores)
        ]
        table.add_row(Text(clean(label_of(row.metric))), *cells)
    return table


def _to_leader(groups: Sequence[RunGroup], row: Standings) -> Table:
    """The difference of each run from the best one, in the metric that is listed first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{label_of(row.metric)}, difference from ★")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("p", justify="right")
    for place, found in enumerate(row.differences):
        if found is not None:
            name = Text.assemble(_sign(place), " ", clean(group_name(groups[place], 40)))
            ends = " … ".join(signed(end) for end in found.interval)
            table.add_row(name, signed(found.value), ends, number(found.p, 2))
    seeds = " and over seeds" if any(group.is_repeated for group in groups) else ""
    table.caption = Text(f"sample by sample{seeds}, corrected for the number of pairs", "dim")
    return table


def _differences(groups: Sequence[RunGroup]) -> Table | Text:
    different = differences(groups)
    if not different:
        return Text("the configurations are identical", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("differs in", overflow="fold")
    for place in range(len(groups)):
        table.add_column(_sign(place), overflow="fold")
    for path, values in different.items():
        table.add_row(Text(clean(path)), *(Text(setting(value)) for value in values))
    return table


def _plot(groups: Sequence[RunGroup], name: str, view: View, console: Console) -> Text:
    drawn = chart(groups, name, view)
    title = Text(clean(curve_label(name) + axis_text(name, view.axis)), "bold")
    return Text.assemble(title, "\n", as_text(drawn, min(PLOT_WIDTH, console.width), PLOT_HEIGHT))
