"""`tui threshold`: from which score on a sample counts as the positive class, or has a label; chosen on validation."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError
from core.metrics import OF_THRESHOLD
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell, tell_device
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument, runs_named
from tui.headless.documents.envelope import print_document
from tui.headless.documents.evaluating import chosen_threshold_document, threshold_document

if TYPE_CHECKING:
    from rich.table import Table

    from core.evaluation.report import Report
    from core.evaluation.two_classes.decision import Rule
    from core.runs.folder import Run
    from core.session.on_validation import KeptChoice
    from core.session.threshold import Decisions

__all__ = ["threshold"]

UNDONE = "the class that scores highest is predicted again, of labels those from the highest F1 on"
USUAL = (
    "the class that scores highest is predicted, of labels those from the highest F1 on; "
    "choose: --f1, --precision, --recall, --costs or --at"
)


def threshold(
    run: RunArgument,
    f1: Annotated[bool, typer.Option("--f1", help="The highest F1.")] = False,
    precision: Annotated[
        float | None, typer.Option(metavar="P", help="The most recall at a precision of at least P, 0 to 1.")
    ] = None,
    recall: Annotated[
        float | None,
        typer.Option(metavar="R", help="The fewest false positives at a recall of at least R, 0 to 1."),
    ] = None,
    costs: Annotated[
        str | None,
        typer.Option(metavar="FP,FN", help="The lowest costs: of a false positive, of a false negative."),
    ] = None,
    at: Annotated[float | None, typer.Option("--at", metavar="T", help="This score itself.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A label that it concerns, several times if need be; by default all."
        ),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Return to 0.5: the class that scores highest; of labels to the highest F1."
        ),
    ] = False,
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Choose on validation from which score on a sample counts as the positive class of two; show it without options.

    Of several labels: from which score on a sample has each. Evaluate, predict and export use what was chosen last.

    Examples: tui threshold latest --recall 0.95

    tui threshold latest --precision 0.9 --label urgent
    """
    rule = _rule(f1=f1, precision=precision, recall=recall, costs=costs, at=at)
    if undo and rule is not None:
        raise InputError("--undo takes no threshold", "Give it alone")
    (found,) = runs_named([run], runs, "best", together=False, trust=trust_code)
    from core.session.threshold import choose_for_run, remove_threshold

    if undo:
        removed = remove_threshold(found, label or ())
        if as_json:
            _show(found, as_json=True)
            return
        print(UNDONE if removed else "this run has no threshold")
    elif rule is None:
        _show(found, as_json=as_json)
    else:
        choice = choose_for_run(found, rule, label or (), data_root=data_root, progress=tell)
        tell_device()
        tell("", 0, 0)
        if as_json:
            print_document(chosen_threshold_document(found, rule, choice))
        else:
            _print(rule, choice)


def _show(run: "Run", *, as_json: bool) -> None:
    """Print what was chosen before."""
    from core.inference.chosen import decision_of, label_decisions_of
    from tui.terminal.text import clean

    known, labels = decision_of(run), label_decisions_of(run)
    if as_json:
        print_document(threshold_document(run, known, labels))
    elif labels:
        for name, decision in labels.items():
            print(
                clean(
                    f"{name}: threshold {decision.threshold:.4g}, chosen on validation: {decision.rule.words}"
                )
            )
    elif known is None:
        print(USUAL)
    else:
        print(f"threshold {known.threshold:.4g}, chosen on validation: {known.rule.words}")


def _rule(
    *, f1: bool, precision: float | None, recall: float | None, costs: str | None, at: float | None
) -> "Rule | None":
    """Return the rule that the options name; None without one.

    Raises:
        InputError: there are several, or a number is outside its range.
    """
    from core.evaluation.two_classes.decision import Rule

    given = [f1 or None, precision, recall, costs, at]
    if sum(each is not None for each in given) > 1:
        raise InputError(
            "a threshold is chosen by one rule", "Give one of --f1, --precision, --recall, --costs, --at"
        )
    try:
        if f1:
            return Rule("f1")
        if precision is not None:
            return Rule("precision", precision)
        if recall is not None:
            return Rule("recall", recall)
        if costs is not None:
            false_positive, false_negative = map(float, costs.split(","))
            return Rule("costs", false_positive=false_positive, false_negative=false_negative)
        if at is not None:
            return Rule("given", threshold=at)
    except ValueError as error:
        hint = "Costs are two numbers, such as --costs 1,10; precision and recall lie between 0 and 1"
        raise InputError(f"no threshold can be chosen by that: {error}", hint) from None
    return None


def _print(rule: "Rule", choice: "KeptChoice[Decisions]") -> None:
    from rich.console import Console
    from rich.text import Text

    from tui.terminal.text import clean, number

    decisions = choice.chosen
    if decisions.of_labels:
        lines, table = [f"thresholds of labels: {rule.words}", *decisions.notes], _labels(choice)
    else:
        ((positive, decision),) = decisions.by_name.items()
        lines, table = [f"threshold {number(decision.threshold)} for {positive}: {rule.words}"], _two(choice)
    console = Console(highlight=False)
    for line in lines:
        console.print(Text(clean(line)), soft_wrap=True)
    console.print(table)
    console.print(
        "chosen on validation; see what it does on unseen data: tui evaluate RUN --split test",
        style="dim",
        soft_wrap=True,
    )


def _two(choice: "KeptChoice[Decisions]") -> "Table":
    """Return a table of what the threshold of two classes changes."""
    from tui.terminal.text import count

    table = _table("validation", "before", "after")
    pair = choice.before, choice.after
    _add_metrics(table, OF_THRESHOLD, *pair)
    errors = [(report.confusion[0][1], report.confusion[1][0]) for report in pair]
    for place, what in enumerate(("false positives", "false negatives")):
        table.add_row(what, *(count(each[place]) for each in errors))
    return table


def _labels(choice: "KeptChoice[Decisions]") -> "Table":
    """Return a table of what the thresholds of labels change: of each precision, recall and F1 before and after."""
    from rich.text import Text

    from tui.terminal.text import clean, number

    table = _table("validation", "threshold", "precision", "recall", "F1")
    for before, after in zip(choice.before.per_class, choice.after.per_class, strict=True):
        cells = [number(after["threshold"])]  # type: ignore[arg-type]  # a number
        for name in ("precision", "recall", "f1"):
            old, new = (number(each[name]) for each in (before, after))  # type: ignore[arg-type]  # numbers
            cells.append(new if old == new else f"{old} → {new}")
        table.add_row(Text(clean(str(after["name"]))), *cells)
    return table


def _add_metrics(table: "Table", names: Iterable[str], before: "Report", after: "Report") -> None:
    from rich.text import Text

    from tui.terminal.text import clean, number

    for name in names:
        values = (number(report.metrics.get(name)) for report in (before, after))
        table.add_row(Text(clean(after.title_of(name))), *values)


def _table(first: str, *titles: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    for title in titles:
        table.add_column(title, justify="right")
    return table
