"""`tui calibrate`: probabilities that mean what they say, by a temperature fitted on validation."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.metrics import OF_PROBABILITIES, label_of
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell, tell_device
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument, runs_named
from tui.headless.documents.envelope import print_document
from tui.headless.documents.evaluating import calibration_document, removed_calibration_document

if TYPE_CHECKING:
    from core.session.on_validation import KeptChoice

__all__ = ["calibrate"]


def calibrate(
    run: RunArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Return to the network's own probabilities.")] = False,
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Make probabilities mean what they say, by a temperature fitted on validation.

    It is kept with the run: evaluate, predict and export use it from then on. No prediction changes its class.

    Example: tui calibrate latest
    """
    (found,) = runs_named([run], runs, "best", together=False, trust=trust_code)
    from core.session.calibrate import calibrate_run, remove_calibration

    if undo:
        removed = remove_calibration(found)
        if as_json:
            print_document(removed_calibration_document(found))
            return
        print("the network's own probabilities are back" if removed else "this run is not calibrated")
        return
    calibrated = calibrate_run(found, data_root=data_root, progress=tell)
    tell_device()
    tell("", 0, 0)
    if as_json:
        print_document(calibration_document(found, calibrated))
        return
    _print(calibrated)


def _print(calibrated: "KeptChoice[float]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from tui.terminal.text import number

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("validation")
    for title in ("before", "after"):
        table.add_column(title, justify="right")
    for name in OF_PROBABILITIES:
        before, after = (report.metrics.get(name) for report in (calibrated.before, calibrated.after))
        if before is not None:
            table.add_row(label_of(name), number(before), number(after))
    sure = "too sure" if calibrated.chosen > 1 else "not sure enough"
    console = Console(highlight=False)
    console.print(f"temperature {number(calibrated.chosen)}: the network was {sure}")
    console.print(table)
    console.print(
        "fitted on validation; see what it does on unseen data: tui evaluate RUN --split test", style="dim"
    )
