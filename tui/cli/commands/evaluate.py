"""`tui evaluate`: the numbers of a run on a split, as tables, JSON, CSV or plain plots."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.runs.code import trust_config
from core.runs.folder import default_runs_dir, find_run, with_checkpoint
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import CheckpointOption, RunArgument
from tui.runtime.streams import print_result

if TYPE_CHECKING:
    from rich.console import Console

    from core.inference.stored import Evaluation

__all__ = ["evaluate", "tell"]

PLOT_WIDTH, PLOT_HEIGHT = 72, 18


def evaluate(
    run: RunArgument,
    split: Annotated[
        Literal["test", "validation", "train"],
        typer.Option(help="Split to evaluate on; keep test for the end."),
    ] = "test",
    as_json: JsonOption = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="F", help="Write every sample's target, prediction and scores."),
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots", help="Also print ROC and precision-recall curves.")
    ] = False,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Evaluate a run with its best weights; a stored evaluation opens at once.

    Example: tui evaluate latest --split validation --plots
    """
    found = find_run(runs or default_runs_dir(), run)
    if checkpoint != "best":
        found = with_checkpoint(found, checkpoint)
    if trust_code:
        trust_config(found.config(), found)
    from core.session.evaluation import evaluate_run

    evaluation = evaluate_run(found, split, data_root=data_root, progress=tell)
    if csv is not None:
        from core.inference.prediction_files import write_predictions

        write_predictions(evaluation, csv)
    if as_json:
        print_result(json.dumps({"v": 1, "run": found.id, **evaluation.report.to_dict()}))
        return
    from rich.console import Console

    from tui.headless.report import print_report

    console = Console(highlight=False)
    print_report(evaluation.report, console, found.checkpoint)
    if plots:
        _print_plots(evaluation, console)


def tell(what: str, done: int, total: int) -> None:
    """Report progress on a terminal, each line over the one before; write nothing to a log file."""
    if sys.stderr.isatty():
        from tui.terminal.text import clean, progress_line

        print(f"\r\x1b[K{clean(progress_line(what, done, total))}\r", end="", file=sys.stderr, flush=True)


def _print_plots(evaluation: "Evaluation", console: "Console") -> None:
    """ROC and precision-recall curves of at most three lines, each with its area."""
    if not evaluation.report.class_names:
        console.print("no ROC and precision-recall curves: the run predicts no classes")
        return
    from core.evaluation.curve_sets import curves_of, few
    from tui.charts.curves import KINDS, chart
    from tui.charts.plot_text import MARKERS, as_text, legend_text

    curves = curves_of(evaluation.predictions, evaluation.report)
    for kind, (title, area) in KINDS.items():
        shown = few(curves, kind)
        if not shown:
            console.print(f"\n{title}: no curve, {curves[0].reason or 'no class has one'}")
            continue
        drawn = chart(curves, shown, kind, markers=MARKERS)
        console.print(f"\n{title}: {drawn.y_label} against {drawn.x_label}")
        console.print(legend_text(drawn, {curves[n].name: curves[n].area[kind] for n in shown}, area))
        console.print(as_text(drawn, min(PLOT_WIDTH, console.width), PLOT_HEIGHT))
