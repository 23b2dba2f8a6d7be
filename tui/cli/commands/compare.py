"""`tui compare`: runs side by side, as tables, JSON or a plain plot."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunsArgument, refresh_logs
from tui.runtime.streams import print_result

if TYPE_CHECKING:
    from core.runs.comparison.entries import Entry
    from core.runs.comparison.groups import RunGroup
    from core.runs.comparison.standings import Standings

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
    each: Annotated[
        bool, typer.Option("--each", help="Compare each run, also those that differ in their seed alone.")
    ] = False,
    runs: RunsOption = None,
) -> None:
    """Compare runs: final metrics with intervals, settings that differ, one curve for all.

    Runs that differ in their seed alone are one group: mean and standard deviation.

    Example: tui compare k3f x7p --plot 'validation loss'
    """
    from core.palette import MAX_MEMBERS, MAX_RUNS
    from core.runs.comparison.curves import curve_names
    from core.runs.comparison.entries import EntryReader
    from core.runs.comparison.groups import grouped

    refresh_logs(runs or default_runs_dir())
    found = list(dict.fromkeys(find_run(runs or default_runs_dir(), reference) for reference in run))
    if not 2 <= len(found) <= MAX_MEMBERS:
        raise InputError(
            f"a comparison takes 2 to {MAX_MEMBERS} different runs, got {len(found)}",
            "`tui runs` lists the runs",
        )
    entries = [EntryReader(one).read() for one in found]
    if split == "test":
        from core.runs.opening import record_test_opening

        for entry in entries:
            if "test" in entry.reports:
                record_test_opening(entry.run, entry.reports["test"].metrics)
    groups = grouped(entries, apart=found if each else ())
    if len(groups) > MAX_RUNS:
        raise InputError(
            f"a comparison takes at most {MAX_RUNS} runs; those that differ in their seed alone count as one; "
            f"got {len(groups)}",
            "Name fewer runs",
        )
    names = curve_names(entries)
    if plot is not None and plot not in names:
        raise InputError(f"--plot: no curve '{plot}'", f"There is {', '.join(names) or 'none in these runs'}")
    if as_json:
        print_result(json.dumps(_as_dict(groups, split)))
        return
    from tui.charts.comparison import View
    from tui.headless.comparison_report import print_comparison
    from tui.headless.report import report_console

    print_comparison(groups, split, report_console(), plot, View(axis=by))


def _as_dict(groups: "list[RunGroup]", split: str) -> dict[str, Any]:
    from core.runs.comparison.settings import differences, not_comparable, other_losses
    from core.runs.comparison.standings import standings

    rows = standings(groups, split)
    entries = [entry for group in groups for entry in group.entries]
    ids = [group.first.run.id for group in groups]
    return {
        "v": 1,
        "split": split,
        "runs": [_run(entry, split) for entry in entries],
        "groups": [_group(group, rows, place) for place, group in enumerate(groups) if group.is_repeated],
        "leaders": {row.metric: ids[row.leader] for row in rows if row.leader is not None},
        "ties": {
            row.metric: [ids[place] for place in sorted(row.leaders)] for row in rows if len(row.leaders) > 1
        },
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
        "not_tested": [row.metric for row in rows if not row.is_tested],
        "differences": differences(groups),
        "note": not_comparable(entries, split),
        "losses": other_losses(entries),
    }


def _run(entry: "Entry", split: str) -> dict[str, Any]:
    report = entry.reports.get(split)
    metrics = report.metrics if report else {}
    return {
        "id": entry.run.id,
        "path": str(entry.run.path.resolve()),
        "status": entry.summary.status,
        "epoch": entry.summary.epoch,
        "best_epoch": entry.summary.best_epoch,
        "seconds": float(entry.seconds[1][-1]) if len(entry.seconds[1]) else 0.0,
        "best": entry.summary.metrics,
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        "intervals": report.intervals if report else {},
    }


def _group(group: "RunGroup", rows: "list[Standings]", place: int) -> dict[str, Any]:
    return {
        "id": group.first.run.id,
        "runs": [entry.run.id for entry in group.entries],
        "seeds": group.seeds,
        "metrics": {
            row.metric: {"mean": score.value, "deviation": score.deviation, "runs": score.runs}
            for row in rows
            if (score := row.scores[place])
        },
    }
