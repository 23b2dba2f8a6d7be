"""`tui runs delete`, `restore` and `trash`: runs go to the trash of their folder, and come back from it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError, RunError
from core.runs.delete import folder_size
from core.runs.folder import Run, all_runs, default_runs_dir, find_run
from core.runs.query.language import parse
from core.runs.summary import summarise
from core.runs.trash import Trashed, discard, empty_trash, find_trashed, new_batch, trashed
from core.runs.trash import restore as bring_back
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RUN_HELP, complete_runs
from tui.headless.documents.acting import EmptiedDocument, MovedDocument, TrashDocument
from tui.headless.documents.envelope import print_document
from tui.terminal.text import bytes_, clean

__all__ = ["delete", "find_folder", "restore", "trash"]

Several = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN ...]", help=RUN_HELP, autocompletion=complete_runs, show_default=False),
]


def find_folder(runs_dir: Path, reference: str) -> Run:
    """Return the folder of the run, or else of the study, that a reference means.

    Raises:
        RunError: there is neither, or more than one.
    """
    from core.tuning.study.folder import find_study

    try:
        return find_run(runs_dir, reference)
    except RunError as error:
        try:
            return Run(find_study(runs_dir, reference).path)
        except RunError:
            raise error from None


def delete(
    context: typer.Context,
    run: Several = None,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", metavar="TEXT", help="All runs that match, such as 'status=failed age>1w'."),
    ] = None,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Move runs or studies to the trash. A run that is being trained is left alone.

    Example: tui runs delete --filter 'status=failed or status=diverged'
    """
    runs_dir = runs or context.obj or default_runs_dir()
    if not (run or filter_):
        raise InputError("no run is given", "Give some, or --filter TEXT")
    found = [find_folder(runs_dir, reference) for reference in run or ()]
    if filter_:
        query = parse(filter_)
        found += [each for each in all_runs(runs_dir) if query.matches(summarise(each))]
    batch, size = new_batch(runs_dir), 0
    gone, failed = list[str](), dict[str, str]()
    for each in dict.fromkeys(found):
        taken = folder_size(each)
        try:
            discard(each, batch)
        except RunError as error:
            failed[each.id] = str(error)
            print(f"error: {clean(str(error))}", file=sys.stderr)
        else:
            gone.append(each.id)
            size += taken
            if not as_json:
                print(clean(each.id))
    print(
        f"{len(gone)} in the trash, {bytes_(size)}; `tui runs restore` brings back what was deleted last",
        file=sys.stderr,
    )
    if as_json:
        print_document(MovedDocument(to="trash", ids=gone, size=size, failed=failed))
    if failed:
        raise typer.Exit(1)


def restore(
    context: typer.Context, run: Several = None, as_json: JsonOption = False, runs: RunsOption = None
) -> None:
    """Bring runs or studies back from the trash; without RUN those that were deleted last.

    Example: tui runs restore
    """
    runs_dir = runs or context.obj or default_runs_dir()
    found = [find_trashed(runs_dir, reference) for reference in run or ()] or _last(trashed(runs_dir))
    if not found:
        raise RunError("the trash is empty")
    back = [bring_back(each).id for each in found]
    if as_json:
        print_document(MovedDocument(to="runs", ids=back))
        return
    for name in back:
        print(clean(name))


def trash(
    context: typer.Context,
    empty: Annotated[bool, typer.Option("--empty", help="Delete all of it for good.")] = False,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """List what is in the trash, or empty it.

    Example: tui runs trash --empty
    """
    runs_dir = runs or context.obj or default_runs_dir()
    if empty:
        problems = list[str]()
        gone = empty_trash(runs_dir, problems.append)
        for problem in problems:
            print(f"error: {clean(problem)}", file=sys.stderr)
        if as_json:
            print_document(EmptiedDocument(deleted=gone, problems=problems))
        else:
            print(f"{gone} deleted for good")
        if problems:
            raise typer.Exit(1)
        return
    sizes = {each.run.id: folder_size(each.run) for each in trashed(runs_dir)}
    if as_json:
        print_document(TrashDocument(runs=[{"id": name, "size": size} for name, size in sizes.items()]))
        return
    for name, size in sizes.items():
        print(f"{clean(name):44}  {bytes_(size):>8}")


def _last(found: list[Trashed]) -> list[Trashed]:
    return [each for each in found if each.batch == found[0].batch]
