"""`tui runs`: list and inspect runs."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import RunError
from core.runs.folder import all_runs, default_runs_dir, find_run
from core.runs.labels import read_labels, write_labels
from core.runs.summary import RunSummary, began, summarise
from tui.cli.app import RunsOption
from tui.cli.json_option import json_option
from tui.cli.lazy import Command, Group
from tui.cli.run_arguments import RunArgument
from tui.runtime.streams import print_result

__all__ = ["app"]

app = typer.Typer(
    cls=Group, help="List runs, or show one.\n\nExample: tui runs --json", invoke_without_command=True
)

Json = Annotated[bool, json_option("Print JSON.")]


@app.callback()
def runs(context: typer.Context, runs: RunsOption = None, as_json: Json = False) -> None:
    """List all runs, newest first.

    Example: tui runs --json
    """
    if context.invoked_subcommand is not None:
        context.obj = runs
        return
    summaries = [summarise(run) for run in all_runs(runs or default_runs_dir())]
    if as_json:
        print_result(json.dumps([_as_dict(summary) for summary in summaries]))
    else:
        _print_table(summaries)


@app.command(cls=Command)
def show(
    context: typer.Context,
    run: RunArgument,
    runs: RunsOption = None,
    as_json: Json = False,
) -> None:
    """Show one run: its status, its results, and which of its files are missing or damaged.

    Example: tui runs show latest
    """
    from core.runs.problems import problems

    summary = summarise(find_run(runs or context.obj or default_runs_dir(), run))
    found = problems(summary.run)
    if as_json:
        print_result(json.dumps(_as_dict(summary) | ({"problems": found} if found else {})))
        return
    from tui.headless.report import print_summary
    from tui.terminal.text import clean

    print_summary(summary)
    for problem in found:
        print(f"damaged {clean(problem)}")


@app.command(cls=Command)
def rename(
    context: typer.Context,
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help='What to call it; "" takes the name away.')],
    runs: RunsOption = None,
) -> None:
    """Give a run, or a study, a name. Its folder keeps its own.

    Example: tui runs rename latest "wider network"
    """
    folder = _folder(runs or context.obj, run)
    write_labels(folder, name=name)


@app.command(cls=Command)
def tag(
    context: typer.Context,
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG ...", help="Tags to add.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="Take a tag away; repeatable.")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Tag a run, or a study; without tags, print those that it has.

    Example: tui runs tag latest baseline paper
    """
    folder = _folder(runs or context.obj, run)
    kept = [known for known in read_labels(folder).tags if known not in (remove or ())]
    labels = write_labels(folder, tags=[*kept, *(tags or ())]) if tags or remove else read_labels(folder)
    from tui.terminal.text import clean

    print(clean(" ".join(labels.tags)))


@app.command(cls=Command)
def note(
    context: typer.Context,
    run: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help='The note; "" removes it. Without it, print the note.'),
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Write a note on a run, or a study.

    Example: tui runs note latest "loss rises after epoch 12"
    """
    folder = _folder(runs or context.obj, run)
    if text is not None:
        write_labels(folder, note=text)
        return
    from tui.terminal.text import clean

    for line in read_labels(folder).note.splitlines():
        print(clean(line))


def _folder(runs: Path | None, reference: str) -> Path:
    """Return the folder of the run, or else of the study, that a reference means."""
    from core.tuning.study.folder import find_study

    runs_dir = runs or default_runs_dir()
    try:
        return find_run(runs_dir, reference).path
    except RunError as error:
        try:
            return find_study(runs_dir, reference).path
        except RunError:
            raise error from None


def _as_dict(summary: RunSummary) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": summary.run.id,
        "name": summary.labels.name,
        "tags": summary.labels.tags,
        "note": summary.labels.note,
        "status": summary.status,
        "data": summary.data,
        "model": summary.model,
        "epochs": summary.epoch,
        "metrics": summary.metrics,
        "started": summary.started,
        "updated": summary.updated,
        "evaluation": summary.evaluation,
        "path": str(Path(summary.run.path).resolve()),
        "config": summary.config,
    }
    return values | ({"error": summary.error} if summary.error else {})


def _print_table(summaries: list[RunSummary]) -> None:
    from tui.terminal.text import UNKNOWN, age, clean, fit, of

    if not summaries:
        print("no runs yet; start one with: tui train --no-ui", file=sys.stderr)
    for summary in summaries:
        facts = [f"{clean(name)} {value:.4f}" for name, value in summary.metrics.items()]
        facts += [clean(summary.error)] if summary.error else []
        start = began(summary)
        since = UNKNOWN if start is None else f"{age(time.time() - start)} ago"
        epochs = of(summary.epoch, summary.epochs)
        place = f"{fit(summary.run.id, 44)} {summary.status:11} {epochs:>9} {since:>10}"
        print("  ".join([place, *facts]))
