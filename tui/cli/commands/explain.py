"""`tui explain`: where a run's model fails, as text or JSON."""

from typing import Annotated, Literal

import typer

from core.runs.folder import default_runs_dir
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell, tell_device
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import CheckpointOption, RunArgument, runs_named
from tui.headless.documents.envelope import print_document

__all__ = ["explain"]


def explain(
    run: RunArgument,
    split: Annotated[
        Literal["validation", "test", "train"],
        typer.Option(
            help="Split to look at; what is changed by what you see on test is not tested any more."
        ),
    ] = "validation",
    as_json: JsonOption = False,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Show where a model fails: worst slices, columns that matter, targets that look wrong.

    Example: tui explain latest
    """
    (found,) = runs_named([run], runs or default_runs_dir(), checkpoint, together=False, trust=trust_code)
    from core.session.evaluation import RunData, evaluate_run
    from core.session.failures import failures_of

    evaluation = evaluate_run(found, split, data_root=data_root, progress=tell)
    if split == "test":
        from core.runs.opening import record_test_opening

        record_test_opening(found, evaluation.report.metrics)
    failures = failures_of(evaluation, RunData(found, data_root), tell)
    tell_device()
    tell("", 0, 0)
    if as_json:
        from tui.headless.documents.evaluating import explanation_document

        print_document(explanation_document(evaluation, failures))
        return
    from tui.headless.failures_report import print_failures
    from tui.headless.report import report_console

    print_failures(evaluation, failures, report_console())
