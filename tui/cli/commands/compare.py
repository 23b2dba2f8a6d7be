"""`tui compare`: runs side by side, as tables, JSON or a plain plot."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunsArgument
from tui.runtime.streams import print_result

if TYPE_CHECKING:
    from core.runs.comparison.entries import Entry

__all__ = ["compare"]


def compare(
    run: RunsArgument,
    split: Annotated[
        Literal["validation", "test", "train"],
        typer.Option(
            help="Split of the final metrics. Choose between runs by validation; keep test for the end."
        ),
    ] = "validation",
    as_json: JsonOption = False,
    plot: Annotated[
        str | None, typer.Option(metavar="CURVE", help="Also print a curve, such as 'validation loss'.")
    ] = None,
    by: Annotated[Literal["epoch", "step", "time"], typer.Option(help="X axis of the curve.")] = "epoch",
    runs: RunsOption = None,
) -> None:
    """Compare runs: final metrics with intervals, settings that differ, one curve for all.

    Example: tui compare k3f x7p --plot 'validation loss'
    """
    from core.palette import MAX_RUNS
    from core.runs.comparison.curves import curve_names
    from core.runs.comparison.entries import EntryReader

    found = list(dict.fromkeys(find_run(runs or default_runs_dir(), reference) for reference in run))
    if not 2 <= len(found) <= MAX_RUNS:
        raise InputError(
            f"a comparison takes 2 to {MAX_RUNS} different runs, got {len(found)}",
            "`tui runs` lists the runs",
        )
    entries = [EntryReader(each).read() for each in found]
    names = curve_names(entries)
    if plot is not None and plot not in names:
        raise InputError(f"--plot: no curve '{plot}'", f"There is {', '.join(names) or 'none in these runs'}")
    if as_json:
        print_result(json.dumps(_as_dict(entries, split)))
        return
    from tui.charts.comparison import View
    from tui.headless.comparison_report import print_comparison
    from tui.headless.report import report_console

    print_comparison(entries, split, report_console(), plot, View(axis=by))


def _as_dict(entries: "list[Entry]", split: str) -> dict[str, Any]:
    from core.runs.comparison.settings import differences, not_comparable, other_losses
    from core.runs.comparison.standings import standings

    rows = standings(entries, split)
    ids = [entry.run.id for entry in entries]
    listed = [
        {
            "id": entry.run.id,
            "path": str(entry.run.path.resolve()),
            "status": entry.summary.status,
            "epoch": entry.summary.epoch,
            "best_epoch": entry.summary.best_epoch,
            "seconds": float(entry.seconds[1][-1]) if len(entry.seconds[1]) else 0.0,
            "best": entry.summary.metrics,
            "metrics": {row.metric: score.value for row in rows if (score := row.scores[place])},
            "intervals": {
                row.metric: list(score.interval)
                for row in rows
                if (score := row.scores[place]) and score.interval
            },
        }
        for place, entry in enumerate(entries)
    ]
    return {
        "v": 1,
        "split": split,
        "runs": listed,
        "leaders": {row.metric: ids[row.leader] for row in rows if row.leader is not None},
        "level": {row.metric: [ids[place] for place in sorted(row.level)] for row in rows if row.level},
        "to_leader": {
            row.metric: {
                ids[place]: {"value": found.value, "interval": list(found.interval), "p": found.p}
                for place, found in enumerate(row.differences)
                if found is not None
            }
            for row in rows
            if any(row.differences)
        },
        "differences": differences(entries),
        "note": not_comparable(entries, split),
        "losses": other_losses(entries),
    }
