"""`tui evaluate`: the numbers of a run on a split, as tables, JSON, CSV or plain plots."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import CheckpointOption, OneOrMoreRuns, TogetherOption, runs_named
from tui.headless.documents.envelope import print_document

if TYPE_CHECKING:
    from rich.console import Console

    from core.evaluation.two_classes.numbers import Number
    from core.inference.stored import Evaluation
    from core.runs.folder import Run

__all__ = ["evaluate", "tell", "tell_device"]

PLOT_WIDTH, PLOT_HEIGHT = 72, 18


Split = Annotated[
    Literal["test", "validation", "train"], typer.Option(help="Split to evaluate on; keep test for the end.")
]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="F", help="Write every sample's target, prediction and scores, and thresholds."
    ),
]
Plots = Annotated[bool, typer.Option("--plots", help="Also print ROC and precision-recall curves.")]
Beta = Annotated[
    float, typer.Option(metavar="B", help="Of F-beta of two classes: recall counts B times as much.")
]
MaxFpr = Annotated[
    float,
    typer.Option("--max-fpr", metavar="R", help="Of two classes: ROC AUC up to this false positive rate."),
]


def evaluate(
    run: OneOrMoreRuns,
    split: Split = "test",
    as_json: JsonOption = False,
    csv: Csv = None,
    plots: Plots = False,
    beta: Beta = 2.0,
    max_fpr: MaxFpr = 0.1,
    together: TogetherOption = False,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Evaluate a run with its best weights; a stored evaluation opens at once.

    Several runs of one data set (seeds, folds, best trials) count as one model with --together, and become a run.

    Example: tui evaluate latest --split validation --plots
    """
    found = runs_named(run, runs, checkpoint, together=together, trust=trust_code)
    if together:
        from core.interop.together import evaluate_together

        where = runs or default_runs_dir()
        evaluation = evaluate_together(found, split, runs_dir=where, data_root=data_root, progress=tell)
    else:
        from core.session.evaluation import evaluate_run

        evaluation = evaluate_run(found[0], split, data_root=data_root, progress=tell)
    tell_device()
    if split == "test":
        from core.runs.opening import record_test_opening

        record_test_opening(evaluation.run, evaluation.report.metrics)
    if csv is not None:
        _write_csv(evaluation, csv)
    numbers = _numbers(evaluation, beta, max_fpr)
    if as_json:
        from tui.headless.documents.evaluating import evaluation_document

        print_document(evaluation_document(evaluation, numbers))
    else:
        _print(found, evaluation, numbers, plots=plots)


def _print(found: "list[Run]", evaluation: "Evaluation", numbers: "list[Number]", *, plots: bool) -> None:
    """Print the report of a run, or of several as one model, as tables."""
    from rich.console import Console

    from core.inference.chosen import decision_of
    from core.inference.together import uncounted_thresholds
    from tui.headless.errors_report import error_tables
    from tui.headless.report import print_baselines, print_report
    from tui.headless.two_classes_report import numbers_table
    from tui.terminal.text import clean

    console = Console(highlight=False)
    if len(found) > 1:
        title = f"{evaluation.run.id}: the mean of the scores of {len(found)} runs"
        console.print(clean(title), soft_wrap=True)
        chosen = [decision_of(one) for one in found]
        if evaluation.predictions.thresholds is None and (note := uncounted_thresholds(chosen)):
            console.print(note, soft_wrap=True)
    print_report(evaluation.report, console, found[0].checkpoint)
    if numbers:
        console.print(numbers_table(numbers, evaluation.report.positive))
    for table in error_tables(evaluation.predictions, evaluation.report):
        console.print(table)
    print_baselines(evaluation.run, evaluation.split, console)
    if plots:
        _print_plots(evaluation, console)


def _write_csv(evaluation: "Evaluation", path: Path) -> None:
    """Write predictions, and of classes the thresholds beside them."""
    from core.inference.prediction_files import write_predictions

    write_predictions(evaluation, path)
    if evaluation.predictions.has_classes or evaluation.predictions.has_labels:
        from core.inference.operating_points import write_operating_points

        write_operating_points(evaluation, path)


def _numbers(evaluation: "Evaluation", beta: float, max_fpr: float) -> "list[Number]":
    """Return the numbers of two classes; none of other tasks.

    Raises:
        InputError: an argument is outside its range.
    """
    if not evaluation.report.positive:
        return []
    from core.evaluation.two_classes.numbers import two_class_numbers

    try:
        return two_class_numbers(evaluation.predictions, beta=beta, max_fpr=max_fpr)
    except ValueError as error:
        raise InputError(str(error), "Set it with --beta or --max-fpr") from None


def tell(what: str, done: int, total: int) -> None:
    """Report progress on a terminal, each line over the one before; write nothing to a log file."""
    if sys.stderr.isatty():
        from tui.terminal.text import clean, progress_line

        print(f"\r\x1b[K{clean(progress_line(what, done, total))}\r", end="", file=sys.stderr, flush=True)


def tell_device() -> None:
    """Report the GPU that was computed on, where there was a choice; not part of the result."""
    from core.session.evaluation import take_device_note
    from tui.terminal.text import clean

    if note := take_device_note():
        tell("", 0, 0)
        print(clean(f"{note}. CUDA_VISIBLE_DEVICES names another one"), file=sys.stderr, flush=True)


def _print_plots(evaluation: "Evaluation", console: "Console") -> None:
    """ROC and precision-recall curves of at most three lines, each with its area."""
    if not evaluation.report.class_names:
        console.print("no ROC and precision-recall curves: the run predicts no classes")
        return
    from core.evaluation.curve_sets import curves_of, few
    from core.evaluation.two_classes.bands import Band, band_of
    from core.evaluation.values import Undefined
    from tui.charts.evaluation.curves import KINDS, chart
    from tui.charts.plot_text import MARKERS, as_text, legend_text
    from tui.terminal.text import clean

    curves = curves_of(evaluation.predictions, evaluation.report)
    for kind, (title, area) in KINDS.items():
        shown = few(curves, kind)
        if not shown:
            console.print(f"\n{title}: no curve, {curves[0].reason or 'no class has one'}")
            continue
        band = band_of(curves[shown[0]], kind) if len(shown) == 1 else None
        bands = [band] if isinstance(band, Band) else []
        drawn = chart(curves, shown, kind, markers=MARKERS, bands=bands)
        around = "; dots: 95 % band, pointwise" if bands else ""
        around += f"; no band: {clean(band.reason)}" if isinstance(band, Undefined) else ""
        console.print(f"\n{title}: {drawn.y_label} against {drawn.x_label}{around}")
        console.print(legend_text(drawn, {curves[n].name: curves[n].area[kind] for n in shown}, area))
        console.print(as_text(drawn, min(PLOT_WIDTH, console.width), PLOT_HEIGHT))
