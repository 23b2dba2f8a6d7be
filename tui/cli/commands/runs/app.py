"""`tui runs`: list and inspect runs."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from core.errors import RunError
from core.runs.delete import folder_size
from core.runs.folder import all_runs, default_runs_dir, find_run
from core.runs.jobs.following import asked_anew
from core.runs.query.language import parse
from core.runs.query.unopened import unopened_note
from core.runs.summary import summarise
from tui.cli.app import RunsOption
from tui.cli.commands.runs import labels, origin, rerun, trash
from tui.cli.json_option import JsonOption
from tui.cli.lazy import Command, Group
from tui.cli.run_arguments import RunArgument, refresh_logs
from tui.headless.documents.envelope import print_document
from tui.headless.documents.runs import run_document, runs_document, study_document
from tui.runtime.user_queue.runs import as_queued, waiting_runs

__all__ = ["app"]

app = typer.Typer(
    cls=Group, help="List runs, or show one.\n\nExample: tui runs --json", invoke_without_command=True
)
for command in (labels.rename, labels.tag, labels.note, trash.delete, trash.restore, trash.trash):
    app.command(cls=Command)(command)
for of_origin in (origin.diff, origin.bundle, rerun.rerun):
    app.command(cls=Command)(of_origin)
app.command("open", cls=Command)(origin.open_)


@app.callback()
def runs(
    context: typer.Context,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", metavar="TEXT", help="Those that match, such as 'lr>=0.01 or tag:paper'."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="COLUMN", help="By a column, a metric, cfg. and a setting, or size."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B", help="Columns to show, such as run,lr,seed,loss,cfg.model."),
    ] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all runs, newest first.

    Example: tui runs --filter 'status=completed age<1w' --sort accuracy
    """
    if context.invoked_subcommand is not None:
        context.obj = runs
        return
    query = parse(filter_ or "")
    runs_dir = runs or default_runs_dir()
    refresh_logs(runs_dir)
    all_found, silent = asked_anew(summarise(run) for run in all_runs(runs_dir))
    waiting = waiting_runs()
    all_found = [as_queued(summary, waiting) for summary in all_found]
    if silent:
        print(f"note: {silent}", file=sys.stderr)
    found = [summary for summary in all_found if query.matches(summary)]
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    if note := unopened_note((*query.names, sort or "", *names), all_found):
        print(f"note: {note}", file=sys.stderr)
    if sort or columns:
        from tui.headless.runs_table import SIZE, sorted_by

        found = sorted_by(found, sort) if sort else found
    with_size = sort == "size"
    if as_json:
        sizes = [folder_size(summary.run) for summary in found] if with_size else None
        print_document(runs_document(found, sizes))
        return
    from tui.headless.runs_table import SIZE, print_runs
    from tui.runtime.study_queue import waiting_studies
    from tui.terminal.text import clean

    if not found:
        _print_nothing(runs_dir, bool(query.terms))
    print_runs(found, names + [SIZE] * (with_size and bool(names) and SIZE not in names), with_size=with_size)
    for line in [] if query.terms else waiting_studies(runs_dir):
        print(clean(line), file=sys.stderr)


@app.command(cls=Command)
def show(
    context: typer.Context,
    run: RunArgument,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its status, its results, and which of its files are missing or damaged; or a study's trials.

    Example: tui runs show latest
    """
    from core.runs.problems import problems

    runs_dir = runs or context.obj or default_runs_dir()
    refresh_logs(runs_dir)
    try:
        (summary,), _ = asked_anew([summarise(find_run(runs_dir, run))])
        summary = as_queued(summary, waiting_runs())
    except RunError as error:
        _show_study(runs_dir, run, as_json, error)
        return
    found = problems(summary.run)
    if as_json:
        print_document(run_document(summary, found))
        return
    from tui.headless.report import print_summary
    from tui.terminal.text import clean

    print_summary(summary)
    for problem in found:
        print(f"damaged {clean(problem)}")


def _show_study(runs_dir: Path, reference: str, as_json: bool, error: RunError) -> None:
    """Show the trials of a study; if there is none either, say what is wrong with the run that was asked for."""
    from core.tuning.study.folder import find_study

    try:
        folder = find_study(runs_dir, reference)
    except RunError:
        raise error from None
    from core.tuning.study.study import open_study
    from tui.headless.trials_table import print_trials
    from tui.runtime.study_queue import lost_workers, workers_now
    from tui.terminal.jobs import job_text
    from tui.terminal.text import clean

    study = open_study(folder.path.parent, str(folder.path))
    jobs = workers_now(study.folder)
    if as_json:
        print_document(study_document(study, jobs))
        return
    print_trials(study)
    for job in jobs:
        print(f"{'running' if job.runs else 'pending'} {job_text(job, time.time())}")
    if told := lost_workers(study.folder):
        print(clean(told))


def _print_nothing(runs_dir: Path, is_filtered: bool) -> None:
    """Say on standard error why there is no line."""
    from core.tuning.study.folder import all_studies

    if is_filtered:
        print("no run matches", file=sys.stderr)
    elif studies := all_studies(runs_dir):
        print(
            f"no runs of their own, but {len(studies)} studies; `tui runs show {studies[0].name}` shows its trials",
            file=sys.stderr,
        )
    else:
        print("no runs yet; start one with: tui train --no-ui", file=sys.stderr)
