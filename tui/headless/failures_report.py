"""Where a model fails, as text that fits a terminal and a log file alike."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.counting import counted
from core.inference.stored import Evaluation
from core.metrics import label_of
from core.session.failures import Failures
from tui.terminal.text import clean, number

__all__ = ["print_failures"]

TOP = 10
BAR_WIDTH = 24


def print_failures(evaluation: Evaluation, failures: Failures, console: Console) -> None:
    """Print the worst slices, the columns that matter most, and the targets that look wrong."""
    split, samples = evaluation.split, len(evaluation.predictions)
    console.print(
        Text(f"{split}: {counted(samples, 'sample')} of {clean(evaluation.run.id)}", "bold"), soft_wrap=True
    )
    if failures.outcomes is None:
        console.print("its answers are neither one class nor one number, so there are no slices")
    elif not failures.slices:
        console.print("its samples have no columns, or too few samples share a value: there are no slices")
    else:
        console.print(_slices(failures))
        worse = sum(one.is_worse for one in failures.slices)
        more = f"{len(failures.slices):,} slices; {worse} clearly worse than the rest (▼), corrected for their number"
        more += f"; of {failures.slices_of}" if failures.slices_of else ""
        more += "; weights do not count in them" if evaluation.predictions.weights is not None else ""
        console.print(Text(more, "dim"), soft_wrap=True)
    if failures.importances:
        console.print()
        console.print(_importances(failures))
        if failures.shuffled_in:
            console.print(Text(f"shuffled in {failures.shuffled_in}", "dim"), soft_wrap=True)
    if len(failures.label_errors):
        console.print()
        console.print(_label_errors(evaluation, failures))


def _slices(failures: Failures) -> Table:
    assert failures.outcomes is not None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("slice", overflow="fold")
    for title in ("samples", label_of(failures.outcomes.metric), "95 % interval", "rest"):
        table.add_column(title, justify="right")
    for one in failures.slices[:TOP]:
        table.add_row(
            "▼" if one.is_worse else "",
            Text(clean(f"{one.column} = {one.value}")),
            f"{one.samples:,}",
            number(one.score),
            " … ".join(map(number, one.interval)),
            number(one.rest),
        )
    return table


def _importances(failures: Failures) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("column, its values shuffled", overflow="fold")
    table.add_column(f"fall of {label_of(failures.importances[0].metric)}", justify="right")
    table.add_column("")
    largest = max(failures.importances[0].fall, 1e-12)
    for one in failures.importances[:TOP]:
        bar = "█" * max(0, round(BAR_WIDTH * one.fall / largest))
        table.add_row(Text(clean(one.column)), f"{number(one.fall)} ± {number(one.deviation)}", bar)
    return table


def _label_errors(evaluation: Evaluation, failures: Failures) -> Table:
    predictions, names = evaluation.predictions, evaluation.report.class_names
    count = len(failures.label_errors)
    title = (
        f"{count:,} targets look wrong; the most likely ones" if count > TOP else "targets that look wrong"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for head in ("sample", "target", "looks like", "score"):
        table.add_column(head, justify="right" if head in ("sample", "score") else "left")
    for position in failures.label_errors[:TOP].tolist():
        target, predicted = int(predictions.targets[position]), int(predictions.predicted[position])
        table.add_row(
            str(int(predictions.indices[position])),
            Text(clean(names[target])),
            Text(clean(names[predicted])),
            number(float(predictions.scores[position, predicted])),
        )
    return table
