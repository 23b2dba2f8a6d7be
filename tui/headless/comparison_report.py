"""A comparison as text that fits a terminal and a log file alike."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.metrics import compared_metrics, label_of
from core.runs.comparison.curves import lead
from core.runs.comparison.entries import Entry
from core.runs.comparison.settings import differences, not_comparable, other_losses
from core.runs.comparison.standings import MARKS, Standings, standings
from tui.charts.comparison import View, axis_text, chart, difference_text, interval_text, score_text
from tui.charts.plot_text import as_text
from tui.headless.report import print_baselines
from tui.terminal.text import clean, duration, number, of, setting
from tui.terminal.themes import sign_of

__all__ = ["print_comparison"]

PLOT_WIDTH, PLOT_HEIGHT = 100, 20


def print_comparison(
    entries: Sequence[Entry], split: str, console: Console, plot: str | None, view: View
) -> None:
    """Print the status of the runs, their final metrics on a split, and the settings that differ.

    Args:
        plot: name of a curve to draw; None draws none.
    """
    console.print(_runs(entries))
    found = standings(entries, split)
    compared = compared_metrics([row.metric for row in found])
    rows = [row for row in found if row.metric in compared]
    if rows:
        console.print(Text(f"{split}, best weights", "bold"))
        console.print(_metrics(entries, rows))
        console.print(Text(MARKS, "dim"))
        if any(rows[0].differences):
            console.print()
            console.print(_to_leader(entries, rows[0]))
        if rows[0].leader is not None:
            print_baselines(entries[rows[0].leader].run, split, console)
    else:
        console.print(Text(f"none of the runs was evaluated on {split}", "dim"))
    note = not_comparable(entries, split)
    if note:
        console.print(Text(clean(f"▲ {note}: their numbers are not comparable"), "yellow"))
    losses = other_losses(entries)
    if losses:
        console.print(Text(clean(f"▲ {losses}: their values are not comparable"), "yellow"))
    console.print()
    console.print(_differences(entries))
    if plot is not None:
        console.print()
        console.print(_plot(entries, plot, view, console))


def _sign(place: int) -> Text:
    symbol, color = sign_of(place)
    return Text(symbol, "rgb({},{},{})".format(*color))


def _runs(entries: Sequence[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("run", overflow="fold")
    table.add_column("status")
    for name in ("epochs", "best epoch", "best loss", "trained"):
        table.add_column(name, justify="right")
    leading = lead(entries, "validation loss")
    for place, entry in enumerate(entries):
        summary = entry.summary
        star = "★ " if leading is not None and leading.place == place else ""
        spent = float(entry.seconds[1][-1]) if len(entry.seconds[1]) else None
        best = star + number(summary.metrics.get("loss"))
        table.add_row(
            _sign(place),
            Text(clean(summary.run.id)),
            summary.status,
            of(summary.epoch, summary.epochs),
            str(summary.best_epoch or "–"),
            best,
            duration(spent),
        )
    return table


def _metrics(entries: Sequence[Entry], rows: Sequence[Standings]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric")
    for place in range(len(entries)):
        table.add_column(_sign(place), justify="right")
    for row in rows:
        cells = [
            f"{score_text(row, place)}\n{interval_text(score)}" for place, score in enumerate(row.scores)
        ]
        table.add_row(Text(clean(label_of(row.metric))), *cells)
    return table


def _to_leader(entries: Sequence[Entry], row: Standings) -> Table:
    """The difference of each run from the best one, in the metric that is listed first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{label_of(row.metric)}, difference from ★")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("p", justify="right")
    for place, found in enumerate(row.differences):
        if found is not None:
            name = Text.assemble(_sign(place), " ", clean(entries[place].run.id))
            ends = " … ".join(difference_text(end) for end in found.interval)
            table.add_row(name, difference_text(found.value), ends, number(found.p, 2))
    table.caption = Text("sample by sample, corrected for the number of pairs of runs", "dim")
    return table


def _differences(entries: Sequence[Entry]) -> Table | Text:
    different = differences(entries)
    if not different:
        return Text("the configurations are identical", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("differs in", overflow="fold")
    for place in range(len(entries)):
        table.add_column(_sign(place), overflow="fold")
    for path, values in different.items():
        table.add_row(Text(clean(path)), *(Text(setting(value)) for value in values))
    return table


def _plot(entries: Sequence[Entry], name: str, view: View, console: Console) -> Text:
    drawn = chart(entries, name, view)
    title = Text(clean(name + axis_text(name, view.axis)), "bold")
    return Text.assemble(title, "\n", as_text(drawn, min(PLOT_WIDTH, console.width), PLOT_HEIGHT))
