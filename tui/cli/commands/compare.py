"""`tui compare`: runs side by side, as tables, JSON or a plain plot."""

from typing import Annotated, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunsArgument, refresh_logs
from tui.headless.documents.envelope import print_document

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
        from tui.headless.documents.comparing import comparison_document

        print_document(comparison_document(groups, split))
        return
    from tui.charts.comparison import View
    from tui.headless.comparison_report import print_comparison
    from tui.headless.report import report_console

    print_comparison(groups, split, report_console(), plot, View(axis=by))
