"""`tui threshold`: from which score on a sample counts as the positive class, chosen on validation."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError
from core.metrics import OF_THRESHOLD
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument, runs_named
from tui.runtime.streams import print_result

if TYPE_CHECKING:
    from core.evaluation.report import Report
    from core.evaluation.two_classes.decision import Rule
    from core.session.threshold import Chosen

__all__ = ["threshold"]


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
    undo: Annotated[
        bool, typer.Option("--undo", help="Return to 0.5: the class that scores highest.")
    ] = False,
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Choose on validation from which score on a sample counts as the positive class of two; show it without options.

    It is kept with the run: evaluate, predict and export use it from then on. The test split takes no part.

    Example: tui threshold latest --recall 0.95
    """
    rule = _rule(f1=f1, precision=precision, recall=recall, costs=costs)
    if undo and rule is not None:
        raise InputError("--undo takes no threshold", "Give it alone")
    (found,) = runs_named([run], runs, "best", together=False, trust=trust_code)
    from core.inference.chosen import decision_of
    from core.session.threshold import choose_for_run, remove_threshold

    if undo:
        removed = remove_threshold(found)
        print("the class that scores highest is predicted again" if removed else "this run has no threshold")
        return
    if rule is None:
        known = decision_of(found)
        if as_json:
            rule_words = None if known is None else known.rule.words
            kept = None if known is None else known.threshold
            print_result(json.dumps({"v": 1, "run": found.id, "threshold": kept, "rule": rule_words}))
        elif known is None:
            print(
                "the class that scores highest is predicted; choose: --f1, --precision, --recall or --costs"
            )
        else:
            print(f"threshold {known.threshold:.4g}, chosen on validation: {known.rule.words}")
        return
    chosen = choose_for_run(found, rule, data_root=data_root, progress=tell)
    tell("", 0, 0)
    if as_json:
        print_result(json.dumps(_as_dict(found.id, chosen)))
        return
    _print(chosen)


def _rule(*, f1: bool, precision: float | None, recall: float | None, costs: str | None) -> "Rule | None":
    """Return the rule that the options name; None without one.

    Raises:
        InputError: there are several, or a number is outside its range.
    """
    from core.evaluation.two_classes.decision import Rule

    given = [f1 or None, precision, recall, costs]
    if sum(each is not None for each in given) > 1:
        raise InputError(
            "a threshold is chosen by one rule", "Give one of --f1, --precision, --recall, --costs"
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
    except ValueError as error:
        hint = "Costs are two numbers, such as --costs 1,10; precision and recall lie between 0 and 1"
        raise InputError(f"no threshold can be chosen by that: {error}", hint) from None
    return None


def _as_dict(run: str, chosen: "Chosen") -> dict[str, object]:
    values = {
        name: {"before": chosen.before.metrics.get(name), "after": chosen.after.metrics.get(name)}
        for name in OF_THRESHOLD
    }
    return {
        "v": 1,
        "run": run,
        "threshold": chosen.decision.threshold,
        "rule": chosen.decision.rule.words,
        "positive": chosen.after.positive,
        "validation": {**values, "confusion": _matrices(chosen.before, chosen.after)},
    }


def _matrices(before: "Report", after: "Report") -> dict[str, list[list[int]]]:
    return {"before": before.confusion, "after": after.confusion}


def _print(chosen: "Chosen") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tui.terminal.text import clean, count, number

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("validation")
    for title in ("before", "after"):
        table.add_column(title, justify="right")
    pair = chosen.before, chosen.after
    for name in OF_THRESHOLD:
        metric = Text(clean(chosen.after.title_of(name)))
        table.add_row(metric, *(number(report.metrics.get(name)) for report in pair))
    errors = [(report.confusion[0][1], report.confusion[1][0]) for report in pair]
    for place, what in enumerate(("false positives", "false negatives")):
        table.add_row(what, *(count(each[place]) for each in errors))
    console = Console(highlight=False)
    console.print(
        Text(
            clean(
                f"threshold {number(chosen.decision.threshold)} for {chosen.after.positive}: "
                f"{chosen.decision.rule.words}"
            )
        ),
        soft_wrap=True,
    )
    console.print(table)
    console.print(
        "chosen on validation; see what it does on unseen data: tui evaluate RUN --split test",
        style="dim",
        soft_wrap=True,
    )
